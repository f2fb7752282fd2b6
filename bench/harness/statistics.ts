/** Numbers of a list of times, and how they are shown. */
export interface Times {
  /** Milliseconds. */
  readonly min: number
  readonly median: number
  /** Calls that were timed. */
  readonly calls: number
}

export function median(list: readonly number[]): number {
  if (list.length === 0) throw new Error('Expected at least one number for `list` but received none')
  const sorted = [...list].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export const geometricMean = (list: readonly number[]): number =>
  Math.exp(list.reduce((sum, value) => sum + Math.log(value), 0) / Math.max(1, list.length))

/** Of bursts of `burst` calls each; `list` has milliseconds of one call. */
export const timesOf = (list: readonly number[], burst: number): Times => ({
  min: Math.min(...list),
  median: median(list),
  calls: list.length * burst,
})

/** The largest amount by which a value is off beyond a relative 1e-3. */
export function largestDifference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Infinity
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    const off = Math.abs(got[i] - want[i]) - 1e-3 * Math.abs(want[i])
    if (off > worst) worst = off
    else if (Number.isNaN(off)) return NaN
  }
  return worst
}

export const showTime = (ms: number): string => (ms < 1 ? `${(1000 * ms).toFixed(1)} us` : `${ms.toFixed(2)} ms`)
export const showBytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`
export const showPercent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`

/** Rows as columns of one width; the first column is text, the others numbers. The first row is the header. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Rows as a Markdown table; the first row is the header. */
export const markdown = (rows: readonly (readonly string[])[]): string =>
  [rows[0], rows[0].map(() => '---'), ...rows.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n')
