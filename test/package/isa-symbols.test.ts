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
  const listing = [
    '0000 <torchscript::avx2::f()>:',
    '  0: vaddps %ymm0,%ymm1,%ymm1',
    '0010 <torchscript::g(int)>:',
    '  10: vaddps %zmm0,%zmm1,%zmm1',
    '0020 <h>:',
    '  20: addps %xmm0,%xmm1',
  ].join('\n')
  t.same(vectorFunctions(listing), [
    { name: 'torchscript::avx2::f()', allowed: true },
    { name: 'torchscript::g(int)', allowed: false },
  ])
  t.end()
})

const elsewhere = process.arch === 'x64' ? false : 'not an x64 machine'
t.test('only functions of the instruction set units use AVX registers', { skip: elsewhere }, (t) => {
  const addon = 'build/Release/torchscript.node'
  const { error, status, stdout, stderr } = spawnSync('objdump', ['-d', '-C', '--no-show-raw-insn', addon], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    t.pass('the addon is disassembled', { skip: 'objdump is not installed' })
    return t.end()
  }
  if (error !== undefined || status !== 0) {
    t.fail('objdump could not read the addon', { error: error?.message, stderr })
    return t.end()
  }
  const functions = vectorFunctions(stdout)
  t.ok(functions.filter((f) => f.name.includes('avx2::')).length > 50, 'AVX2 functions are there')
  t.ok(functions.filter((f) => f.name.includes('avx512::')).length > 50, 'AVX-512 functions are there')
  t.same(
    functions.filter((f) => !f.allowed),
    [],
  )
  t.end()
})
