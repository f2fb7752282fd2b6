import t from 'tap'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isas } from './golden.js'

for (const isa of isas) {
  t.test(`matrix products of any shape and layout are right with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./gemm-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa }, maxBuffer: 1 << 26 }).toString()
    const { failures, count } = JSON.parse(text) as { failures: string[]; count: number }
    t.same(failures, [])
    t.ok(count > 350)
    t.end()
  })
}
