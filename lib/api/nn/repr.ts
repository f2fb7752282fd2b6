/** Values and modules as Python prints them. */

/** A float: Python always shows a point or an exponent. */
export function pyFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    const [digits, exponent] = value.toExponential().split('e')
    const size = Math.abs(Number(exponent))
    return `${digits}e${Number(exponent) < 0 ? '-' : '+'}${size < 10 ? `0${size}` : size}`
  }
  // JavaScript writes an exponent from 1e21 and below 1e-6 only, so that none is left here.
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** Any value; numbers are ints where they can be. `pyFloat` is for those that Python has as float. */
export function py(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False'
    case 'number':
      return Number.isInteger(value) ? String(value) : pyFloat(value)
    case 'string':
      return `'${value}'`
    case 'undefined':
      return 'None'
    default:
      if (value === null) return 'None'
      if (Array.isArray(value)) return pyTuple(value.map(py))
      return String(value)
  }
}

/** A tuple of printed items. */
export const pyTuple = (items: readonly string[]): string => (items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`)

/** Lines after the first moved to the right; empty ones stay empty. */
export const indentRest = (text: string, spaces: number): string =>
  text
    .split('\n')
    .map((line, i) => (i === 0 ? line : line.trim() === '' ? '' : ' '.repeat(spaces) + line))
    .join('\n')

/** `Name(extra)`, or one line an item when there are children. */
export function reprOf(name: string, extra: string, children: Iterable<readonly [string, string]>): string {
  const extraLines = extra === '' ? [] : extra.split('\n')
  const childLines = [...children].map(([key, text]) => `(${key}): ${indentRest(text, 2)}`)
  if (extraLines.length === 1 && childLines.length === 0) return `${name}(${extraLines[0]})`
  const lines = [...extraLines, ...childLines]
  return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join('\n  ')}\n)`
}
