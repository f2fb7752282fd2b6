import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isas } from './golden.js'

/** What native/cpu-avx/math.h states. */
const stated: Record<string, number> = {
  exp: 1.1,
  exp2: 1.1,
  expm1: 1.4,
  log: 0.9,
  log2: 1.6,
  log10: 1.8,
  log1p: 1,
  erf: 1.3,
  erfc: 2.4,
  tanh: 1.3,
  sigmoid: 1.3,
  silu: 1.3,
  gelu: 1.8,
  gelu_tanh: 1.6,
  tan: 2,
  atan: 1.4,
  asin: 1.5,
  acos: 1.1,
  sinh: 1.5,
  cosh: 1.4,
  asinh: 1,
  acosh: 0.8,
  atanh: 1.3,
  ...Object.fromEntries([2.3125, -0.6875, 37.25, 3, 2 ** -10, -5].map((y) => [`pow ${y}`, 1.5])),
}

for (const isa of isas) {
  t.test(`float32 functions are as exact as stated over every exponent with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./vec-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa } }).toString()
    const report = JSON.parse(text) as Record<string, { ulp: number; rounded: number; at: number; wrong: string[] }>
    for (const [name, { ulp, rounded, at, wrong }] of Object.entries(report)) {
      t.ok(ulp <= stated[name], `${name}: ${ulp.toFixed(2)} ulp at ${at}`)
      t.ok(rounded <= 2, `${name}: ${rounded} ulp from the correctly rounded result`)
      t.same(wrong, [], `${name} of zeros, infinities and NaN`)
    }
    t.same(Object.keys(report), Object.keys(stated))
    t.end()
  })
}
