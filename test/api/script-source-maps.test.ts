import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import t from 'tap'

const program = (entry: string): string => `
import * as torch from '${pathToFileURL(resolve(entry)).href}'
class Repeat extends torch.nn.Module {
  forward(x: torch.Tensor, times: torch.int): torch.Tensor {
    for (let i = 0; i < times; i++) x = x.add(1)
    return x
  }
}
console.log(torch.jit.script(new Repeat()).forward(torch.zeros([2]), 3).toArray().join())
`

t.test('the file of the caller is found whether or not the process follows source maps', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'source-maps-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const entry of ['.build/lib/index.js', 'dist/index.mjs']) {
    const text = program(entry)
    const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: 'program.ts' })
    writeFileSync(join(folder, 'program.mjs'), code)
    writeFileSync(join(folder, 'program.ts'), text)
    for (const flags of [[], ['--enable-source-maps']]) {
      const env = { ...process.env, NODE_OPTIONS: '' }
      const printed = execFileSync(process.execPath, [...flags, join(folder, 'program.mjs')], { env, encoding: 'utf8' })
      t.equal(printed.trim(), '3,3', `${entry} ${flags.join(' ')}`)
    }
  }
})
