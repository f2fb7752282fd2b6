import { ArgumentError } from '../../util/errors.js'
import type { KeyAveragesOptions, ProfilerEvent } from './profile.js'

/** Events of one key added up; times are microseconds. */
export interface AveragedEvent {
  readonly key: string
  readonly kernel: string
  /** As text, `[1, 3, 224, 224] [64, 3, 7, 7]`, when grouped by it; else empty. */
  readonly inputShapes: string
  /** When grouped by it; else empty. */
  readonly location: string
  readonly count: number
  readonly cpuTimeTotal: number
  readonly cpuTime: number
  readonly flops: number
  readonly bytes: number
}

export type SortKey = 'cpuTimeTotal' | 'cpuTime' | 'count' | 'flops' | 'bytes'
const sortKeys: readonly SortKey[] = ['cpuTimeTotal', 'cpuTime', 'count', 'flops', 'bytes']

export interface TableOptions {
  /** Default `cpuTimeTotal`; largest first. */
  sortBy?: SortKey
  /** Rows at most; default 100, -1 for all. */
  rowLimit?: number
}

const time = (us: number): string =>
  us >= 1e6 ? `${(us / 1e6).toFixed(3)}s` : us >= 1e3 ? `${(us / 1e3).toFixed(3)}ms` : `${us.toFixed(3)}us`
const perSecond = (amount: number, us: number): string => (amount > 0 && us > 0 ? (amount / us / 1e3).toFixed(1) : '--')
const shapes = (event: ProfilerEvent): string => event.inputs.map((tensor) => `[${tensor.shape.join(', ')}]`).join(' ')

/** Operators by key, most expensive first. */
export class KeyAverages implements Iterable<AveragedEvent> {
  readonly rows: readonly AveragedEvent[]
  readonly cpuTimeTotal: number

  constructor(events: readonly ProfilerEvent[], { groupByInputShape = false, groupByLocation = false }: KeyAveragesOptions = {}) {
    const rows = new Map<string, { -readonly [K in keyof AveragedEvent]: AveragedEvent[K] }>()
    let total = 0
    for (const event of events) {
      if (event.category !== 'operator') continue
      const inputShapes = groupByInputShape ? shapes(event) : ''
      const location = groupByLocation ? event.location : ''
      const id = [event.name, event.kernel, inputShapes, location].join('\n')
      let row = rows.get(id)
      if (row === undefined) {
        row = { key: event.name, kernel: event.kernel, inputShapes, location, count: 0, cpuTimeTotal: 0, cpuTime: 0, flops: 0, bytes: 0 }
        rows.set(id, row)
      }
      row.count++
      row.cpuTimeTotal += event.duration
      row.flops += event.flops
      row.bytes += event.bytes
      total += event.duration
    }
    for (const row of rows.values()) row.cpuTime = row.cpuTimeTotal / row.count
    this.rows = [...rows.values()].sort((a, b) => b.cpuTimeTotal - a.cpuTimeTotal)
    this.cpuTimeTotal = total
  }

  [Symbol.iterator](): Iterator<AveragedEvent> {
    return this.rows[Symbol.iterator]()
  }

  /** As text. GFLOP/s is of products and convolutions; GB/s counts every tensor once, wherever in the caches it lies. */
  table({ sortBy = 'cpuTimeTotal', rowLimit = 100 }: TableOptions = {}): string {
    if (!sortKeys.includes(sortBy))
      throw new ArgumentError(`Expected one of ${sortKeys.join(', ')} for \`sortBy\` but received ${JSON.stringify(sortBy)}`)
    const sorted = [...this.rows].sort((a, b) => b[sortBy] - a[sortBy])
    const shown = rowLimit < 0 ? sorted : sorted.slice(0, rowLimit)
    const withShapes = shown.some((row) => row.inputShapes !== '')
    const withLocation = shown.some((row) => row.location !== '')
    const cells = shown.map((row) => [
      row.key,
      row.kernel,
      `${((100 * row.cpuTimeTotal) / Math.max(this.cpuTimeTotal, 1e-9)).toFixed(2)}%`,
      time(row.cpuTimeTotal),
      time(row.cpuTime),
      String(row.count),
      perSecond(row.flops, row.cpuTimeTotal),
      perSecond(row.bytes, row.cpuTimeTotal),
      ...(withShapes ? [row.inputShapes] : []),
      ...(withLocation ? [row.location] : []),
    ])
    const header = ['Name', 'Kernel', 'CPU %', 'CPU total', 'CPU time avg', '# of Calls', 'GFLOP/s', 'GB/s']
    const all = [[...header, ...(withShapes ? ['Input Shapes'] : []), ...(withLocation ? ['Location'] : [])], ...cells]
    const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
    const isText = (column: number): boolean => column < 2 || column >= header.length
    const line = (row: readonly string[]): string =>
      row
        .map((cell, i) => (isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd()
    const rule = widths.map((width) => '-'.repeat(width)).join('  ')
    const rest = sorted.length - shown.length
    return [
      rule,
      line(all[0]),
      rule,
      ...all.slice(1).map(line),
      rule,
      ...(rest > 0 ? [`and ${rest} more rows`] : []),
      `CPU time total: ${time(this.cpuTimeTotal)}`,
    ].join('\n')
  }
}
