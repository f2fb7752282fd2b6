import t from 'tap'
import { spawnSync } from 'node:child_process'

/** Functions of a disassembly (objdump -d -C) that use registers of AVX or AVX-512, with whether their namespace says so. */
function vectorFunctions(listing: string): { name: string; allowed: boolean }[] {
  const found: { name: string; allowed: boolean }[] = []
  let name = ''
  let seen = false
  for (const line of listing.split('\n')) {
    const head = /^[0-9a-f]+ <(.*)>:$/.exec(line)
    if (head !== null) {
      name = head[1]
      seen = false
    } else if (!seen && /%[yz]mm\d/.test(line)) {
      seen = true
      found.push({ name, allowed: /\bavx2::|\bavx512::/.test(name) })
    }
  }
  return found
}

t.test('the check finds a function that must not use vectors', (t) => {
  const listing = '0000 <torchscript::avx2::f()>:\n  0: vaddps %ymm0,%ymm1,%ymm1\n0010 <torchscript::g(int)>:\n  10: vaddps %zmm0,%zmm1,%zmm1\n0020 <h>:\n  20: addps %xmm0,%xmm1\n'
  t.same(vectorFunctions(listing), [
    { name: 'torchscript::avx2::f()', allowed: true },
    { name: 'torchscript::g(int)', allowed: false },
  ])
  t.end()
})

t.test('only functions of the instruction set units use AVX registers', { skip: process.arch !== 'x64' ? 'not an x64 machine' : false }, (t) => {
  const { status, stdout } = spawnSync('objdump', ['-d', '-C', '--no-show-raw-insn', 'build/Release/torchscript.node'], { encoding: 'utf8', maxBuffer: 1 << 30 })
  if (status !== 0) {
    t.skip('objdump is not installed: the addon was not disassembled', () => undefined)
    return t.end()
  }
  const functions = vectorFunctions(stdout)
  t.ok(functions.filter((f) => f.name.includes('avx2::')).length > 50, 'AVX2 functions are there')
  t.ok(functions.filter((f) => f.name.includes('avx512::')).length > 50, 'AVX-512 functions are there')
  t.same(functions.filter((f) => !f.allowed), [])
  t.end()
})
