const float32 = new Float32Array(1)
const bits32 = new Uint32Array(float32.buffer)

/** The number that the 16 bits of a float16 stand for. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The 16 bits of the float16 nearest to a number, halves to even; beyond the range it is an infinity. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size))
  // Math.log2 may be off by one ulp at powers of two; the scaled fraction below carries into the exponent, which is right either way.
  const unit = 2 ** (exponent - 10)
  const steps = roundHalfEven(size / unit)
  if (size < 2 ** -14) return sign | steps
  return sign | ((exponent + 15) * 1024 + (steps - 1024))
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** The number that the 16 bits of a bfloat16 stand for. */
export function bfloat16ToNumber(bits: number): number {
  bits32[0] = bits << 16
  return float32[0]
}

/** The 16 bits of the bfloat16 nearest to a number, halves to even. */
export function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  float32[0] = value
  // Numbers that float32 rounds onto the middle between two bfloat16 keep their side.
  const bits = bits32[0]
  const rest = bits & 0xffff
  const upper = bits >>> 16
  if (rest !== 0x8000) return (rest > 0x8000 ? upper + 1 : upper) & 0xffff
  const size = Math.abs(value)
  const middle = Math.abs(float32[0])
  const up = size > middle || (size === middle && (upper & 1) === 1)
  return (up ? upper + 1 : upper) & 0xffff
}

const float8Formats = {
  float8_e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, hasInfinity: true, unsignedZeroNaN: false },
  float8_e4m3fn: { exponentBits: 4, fractionBits: 3, bias: 7, hasInfinity: false, unsignedZeroNaN: false },
  float8_e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, hasInfinity: false, unsignedZeroNaN: true },
  float8_e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, hasInfinity: false, unsignedZeroNaN: true },
} as const
export type Float8 = keyof typeof float8Formats
export const isFloat8 = (dtype: string): dtype is Float8 => dtype in float8Formats

/** The number that the 8 bits of a float8 stand for. */
export function float8ToNumber(dtype: Float8, bits: number): number {
  const { exponentBits, fractionBits, bias, hasInfinity, unsignedZeroNaN } = float8Formats[dtype]
  if (unsignedZeroNaN && bits === 0x80) return NaN
  const sign = bits & 0x80 ? -1 : 1
  const maxExponent = (1 << exponentBits) - 1
  const exponent = (bits >> fractionBits) & maxExponent
  const fraction = bits & ((1 << fractionBits) - 1)
  if (exponent === maxExponent && hasInfinity) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === maxExponent && !unsignedZeroNaN && fraction === (1 << fractionBits) - 1) return NaN
  const scale = 2 ** -fractionBits
  return exponent === 0 ? sign * fraction * scale * 2 ** (1 - bias) : sign * (1 + fraction * scale) * 2 ** (exponent - bias)
}
