/*
 * Numbers as Python writes them. JavaScript's toFixed and toExponential round ties away from zero; Python rounds the exact binary value half to
 * even, so the digits are worked out on integers.
 */

/** |x| as numerator and denominator. */
function fraction(x: number): [bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(x))
  const bits = view.getBigUint64(0)
  const exponent = Number(bits >> 52n)
  const mantissa = (bits & 0xfffffffffffffn) | (exponent > 0 ? 1n << 52n : 0n)
  const power = Math.max(exponent, 1) - 1075
  return power >= 0 ? [mantissa << BigInt(power), 1n] : [mantissa, 1n << BigInt(-power)]
}

/** numerator / denominator to the nearest integer, ties to even. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient
}

const sign = (x: number): string => (x < 0 || Object.is(x, -0) ? '-' : '')
const special = (x: number): string | undefined => (Number.isNaN(x) ? 'nan' : Number.isFinite(x) ? undefined : x > 0 ? 'inf' : '-inf')

function withPoint(digits: string, places: number): string {
  if (places === 0) return digits
  const padded = digits.padStart(places + 1, '0')
  return `${padded.slice(0, -places)}.${padded.slice(-places)}`
}

/** Python's `'{:.4f}'`. */
export function fixed(x: number, places: number): string {
  const [numerator, denominator] = fraction(Number.isFinite(x) ? x : 0)
  return special(x) ?? sign(x) + withPoint(String(rounded(numerator * 10n ** BigInt(places), denominator)), places)
}

/** Python's `'{:.4e}'`. */
export function exponential(x: number, places: number): string {
  const text = special(x)
  if (text !== undefined) return text
  let exponent = x === 0 ? 0 : Number(x.toExponential().split('e')[1])
  const [numerator, denominator] = fraction(x)
  const shift = places - exponent
  const scale = 10n ** BigInt(Math.abs(shift))
  let digits = String(shift >= 0 ? rounded(numerator * scale, denominator) : rounded(numerator, denominator * scale))
  if (digits.length > places + 1) {
    exponent++
    digits = digits.slice(0, -1)
  }
  const power = String(Math.abs(exponent)).padStart(2, '0')
  return `${sign(x)}${withPoint(digits.padEnd(places + 1, '0'), places)}e${exponent < 0 ? '-' : '+'}${power}`
}

/** Python's `repr` of a float: the shortest digits that read back as it. */
export function repr(x: number): string {
  const text = special(x)
  if (text !== undefined) return text
  if (x === 0) return `${sign(x)}0.0`
  const [digits, power] = x.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    const two = String(Math.abs(exponent)).padStart(2, '0')
    return `${digits}e${exponent < 0 ? '-' : '+'}${two}`
  }
  const plain = digits.replace(/[-.]/g, '')
  const whole =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${plain}`
      : plain.length <= exponent + 1
        ? `${plain.padEnd(exponent + 1, '0')}.0`
        : `${plain.slice(0, exponent + 1)}.${plain.slice(exponent + 1)}`
  return sign(x) + whole
}
