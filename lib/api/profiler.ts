import type { ProfileEntry } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'

export type { ProfileEntry }

/** Runs `fn` and gives the time of every operator that ran in it, most expensive first. */
export function profile<T>(fn: () => T): { result: T; entries: ProfileEntry[] } {
  const binding = nativeBinding()
  callNative(() => binding.setProfile(true))
  try {
    const result = fn()
    return { result, entries: binding.takeProfile().sort((a, b) => b.nanoseconds - a.nanoseconds) }
  } finally {
    binding.setProfile(false)
  }
}

/** A table of profile entries as text. */
export function profileTable(entries: readonly ProfileEntry[]): string {
  const total = entries.reduce((sum, entry) => sum + entry.nanoseconds, 0)
  const rows = entries.map((e) => [
    e.name,
    e.inner,
    String(e.count),
    (e.nanoseconds / 1e6).toFixed(3),
    `${((100 * e.nanoseconds) / Math.max(1, total)).toFixed(1)} %`,
  ])
  const table = [['operator', 'kernel', 'calls', 'ms', 'share'], ...rows, ['total', '', '', (total / 1e6).toFixed(3), '']]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  return table
    .map((row) =>
      row
        .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
