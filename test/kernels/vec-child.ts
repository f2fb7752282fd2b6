// Prints the largest error of float32 functions over every exponent, in units in the last place, and what special values give.
import type { TensorHandle } from '../../lib/native/binding.js'
import { dtypes, load, native } from '../native/programs.js'

/** Every exponent and sign, with mantissas spread over the binade, more where functions bend; denormals, zeros, infinities, NaN. */
function inputs(): Float32Array {
  const bits: number[] = []
  for (let sign = 0; sign < 2; sign++) {
    for (let exponent = 0; exponent < 255; exponent++) {
      const count = exponent >= 121 && exponent < 135 ? 4800 : 160
      for (let k = 0; k < count; k++) bits.push(((sign << 31) | (exponent << 23) | ((k * 52429 + exponent * 977) & 0x7fffff)) >>> 0)
    }
  }
  bits.push(0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x80000001)
  while (bits.length % 16 !== 5) bits.push(0x3f800000)
  return new Float32Array(Uint32Array.from(bits).buffer)
}

const run = (op: string, extra: string, constants: string, x: Float32Array, dtype: number): Float64Array => {
  const program = load(
    `graph(%a : Tensor):\n  %none : NoneType = prim::Constant()\n${constants}  %r : Tensor = aten::${op}(%a${extra})\n  return (%r)`,
  )
  const data = dtype === dtypes.float64 ? Float64Array.from(x) : x
  const result = (
    program.run(0, [native.tensorFromBuffer(data.buffer as ArrayBuffer, 0, dtype, [x.length])]) as TensorHandle
  ).contiguousCopy()
  return dtype === dtypes.float64
    ? new Float64Array(result.data(), result.dataOffset, x.length)
    : Float64Array.from(new Float32Array(result.data(), result.dataOffset, x.length))
}

const ulp = (y: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y)))) - 23)

const x = inputs()
const report: Record<string, { ulp: number; rounded: number; at: number; wrong: string[] }> = {}
const calls: Record<string, [string, string, string]> = {
  exp: ['exp', '', ''],
  exp2: ['exp2', '', ''],
  expm1: ['expm1', '', ''],
  log: ['log', '', ''],
  log2: ['log2', '', ''],
  log10: ['log10', '', ''],
  log1p: ['log1p', '', ''],
  erf: ['erf', '', ''],
  erfc: ['erfc', '', ''],
  tanh: ['tanh', '', ''],
  sigmoid: ['sigmoid', '', ''],
  silu: ['silu', '', ''],
  gelu: ['gelu', ', %m', '  %m : str = prim::Constant[value="none"]()\n'],
  gelu_tanh: ['gelu', ', %m', '  %m : str = prim::Constant[value="tanh"]()\n'],
  ...Object.fromEntries(
    ['tan', 'atan', 'asin', 'acos', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh'].map((name) => [
      name,
      [name, '', ''] as [string, string, string],
    ]),
  ),
  ...Object.fromEntries(
    [2.3125, -0.6875, 37.25, 3, 2 ** -10, -5].map((y) => [
      `pow ${y}`,
      ['pow', ', %y', `  %y : float = prim::Constant[value=${y.toExponential()}]()\n`] as [string, string, string],
    ]),
  ),
}
/** Where float64's own formula cancels in the negative tail. */
const references: Record<string, (x: number) => number> = {
  gelu_tanh: (x) => x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
}
for (const [name, [op, extra, constants]] of Object.entries(calls)) {
  const got = run(op, extra, constants, x, dtypes.float32)
  // The float64 kernels are libm's.
  const reference = references[name]
  const want = reference ? Float64Array.from(x, reference) : run(op, extra, constants, x, dtypes.float64)
  const entry = { ulp: 0, rounded: 0, at: 0, wrong: [] as string[] }
  for (let i = 0; i < x.length; i++) {
    const y = Math.fround(want[i])
    if (Object.is(y, got[i]) || (Number.isNaN(y) && Number.isNaN(got[i]))) continue
    if (!Number.isFinite(y) || !Number.isFinite(got[i])) {
      // The last float32 before overflow may round to infinity.
      if (!(Math.abs(want[i]) > 3.4028e38 && Math.sign(want[i]) === Math.sign(got[i])))
        entry.wrong.push(`${name}(${x[i]}) = ${got[i]}, want ${y}`)
      continue
    }
    if (y === 0 && got[i] === 0 && x[i] === 0) entry.wrong.push(`${name}(${Object.is(x[i], -0) ? '-0' : '0'}) has the wrong sign`)
    const unit = ulp(want[i])
    const error = Math.abs(got[i] - want[i]) / unit
    entry.rounded = Math.max(entry.rounded, Math.abs(got[i] - y) / unit)
    if (error > entry.ulp) Object.assign(entry, { ulp: error, at: x[i] })
  }
  report[name] = entry
}
console.log(JSON.stringify(report))
