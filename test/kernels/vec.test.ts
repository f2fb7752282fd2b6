import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isas } from './golden.js'

/** What native/cpu-avx/math.h states. */
const stated: Record<string, number> = {
  exp: 1.1,
  exp2: 1.1,
  expm1: 1.4,
  log: 0.8,
  log2: 1.6,
  log10: 1.8,
  log1p: 2.4,
  erf: 1.4,
  erfc: 5.9,
  tanh: 1.3,
  sigmoid: 2.2,
  gelu: 6,
}

for (const isa of isas) {
  t.test(`float32 functions are as exact as stated over every exponent with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./vec-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa } }).toString()
    const report = JSON.parse(text) as Record<string, { ulp: number; at: number; wrong: string[] }>
    for (const [name, { ulp, at, wrong }] of Object.entries(report)) {
      t.ok(ulp <= stated[name], `${name}: ${ulp.toFixed(2)} ulp at ${at}`)
      t.same(wrong, [], `${name} of zeros, infinities and NaN`)
    }
    t.end()
  })
}
