import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isas } from './golden.js'

for (const isa of isas) {
  t.test(`softmax of rows and columns is as exact as its exponentials with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./softmax-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa } }).toString()
    const report = JSON.parse(text) as { ratio: number; total: number; log: number; special: [string, string[]][] }
    // An exponential, and two products that round, one of the largest.
    t.ok(report.ratio <= 3, `${report.ratio.toFixed(2)} ulp`)
    t.ok(report.total <= 1, `sums of rows are 1 within ${report.total} for each element`)
    t.ok(report.log <= 2e-7, `log_softmax: ${report.log}`)
    for (const [name, values] of report.special) {
      if (name.startsWith('around')) t.same(values, ['1', '1'], name)
      else if (/^minus/.test(name) || name.startsWith('large')) t.same(values, ['1', '0', '0'], name)
      else t.same(values, ['NaN', 'NaN', 'NaN'], name)
    }
    t.end()
  })
}
