// Memory of all models of a run as one table: ours against weights + 1.3 live, and the peers.
import { allowedBytes, type Memory } from './results.js'

export interface MemoryRow {
  readonly model: string
  readonly parameterBytes: number
  readonly memory: Readonly<Record<string, Memory>>
}

const mb = (bytes: number | undefined): string => (bytes === undefined ? '' : (bytes / 1e6).toFixed(1))
const ratio = (bytes: number | undefined, allowed: number | undefined): string =>
  bytes === undefined || allowed === undefined || allowed === 0 ? '' : (bytes / allowed).toFixed(3)

/** Of the first of ours; empty without a row that has its memory. The first row is the header; numbers are MB unless they are ratios. */
export function memoryTable(rows: readonly MemoryRow[]): string[][] {
  const measured = rows.filter((row) => Object.keys(row.memory).some((name) => name.startsWith('ours')))
  if (measured.length === 0) return []
  const peers = [...new Set(measured.flatMap((row) => Object.keys(row.memory).filter((name) => !name.startsWith('ours'))))]
  const header = ['memory, MB', 'weights', 'packed', 'live', 'results', 'allowed', 'blocks kept', 'blocks peak', 'peak / allowed']
  const process = ['RSS peak', 'RSS empty', 'above', 'of it JS heap', 'above / allowed']
  return [
    [...header, ...process, ...peers.map((name) => `${name} RSS peak`)],
    ...measured.map((row) => {
      const [, ours] = Object.entries(row.memory).find(([name]) => name.startsWith('ours'))!
      const allowed = allowedBytes(row.parameterBytes, ours)
      return [
        row.model,
        ...[row.parameterBytes, ours.packed, ours.live, ours.results, allowed, ours.kept, ours.held].map(mb),
        ratio(ours.held, allowed),
        ...[ours.peak, ours.base, ours.peak - ours.base, ours.heap].map(mb),
        ratio(ours.peak - ours.base, allowed),
        ...peers.map((name) => mb(row.memory[name]?.peak)),
      ]
    }),
  ]
}
