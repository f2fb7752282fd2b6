import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SourceRange } from '../ir/graph.js'
import { isOwnFile } from '../util/own-files.js'

const texts = new Map<string, string | undefined>()
function textOf(file: string): string | undefined {
  if (!texts.has(file)) {
    try {
      texts.set(file, readFileSync(file, 'utf8'))
    } catch {
      texts.set(file, undefined)
    }
  }
  return texts.get(file)
}

export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The innermost line outside this package that is running. With `--enable-source-maps` it is the TypeScript line. */
export function callerPlace(): Place | undefined {
  const saved = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = saved
  for (const line of stack.split('\n').slice(1)) {
    const match = /\(?((?:file:\/\/)?[^():]*(?:[A-Za-z]:[\\/][^():]*)?):(\d+):(\d+)\)?$/.exec(line.replace(/^\s*at (?:async )?/, ''))
    if (match === null) continue
    const [, where, row, column] = match
    const path = where.slice(where.lastIndexOf('(') + 1)
    if (path.startsWith('node:') || path === '' || path === '<anonymous>') continue
    const file = path.startsWith('file://') ? fileURLToPath(path) : path
    if (!isOwnFile(file)) return { file, line: Number(row), column: Number(column) }
  }
  return undefined
}

/** The line of source that `place` names; undefined when its file cannot be read. */
export function rangeOf(place: Place | undefined): SourceRange | undefined {
  const text = place === undefined ? undefined : textOf(place.file)
  if (place === undefined || text === undefined) return undefined
  let start = 0
  for (let line = 1; line < place.line; line++) {
    const next = text.indexOf('\n', start)
    if (next < 0) return undefined
    start = next + 1
  }
  const newline = text.indexOf('\n', start)
  const end = newline < 0 ? text.length : newline
  return { file: place.file, text, start: Math.min(start + place.column - 1, end), end }
}

/** Warns as PyTorch's tracer does, once for each line of a trace. */
export class TracerWarnings {
  readonly #seen = new Set<string>()
  /** What was warned of, or would have been: sizes or elements of tensors that became JavaScript values. */
  readonly subjects = new Set<'sizes' | 'values'>()
  constructor(private readonly isQuiet: boolean) {}
  warn(message: string, subject: 'sizes' | 'values' = 'values'): void {
    this.subjects.add(subject)
    if (this.isQuiet) return
    const place = callerPlace()
    const where = place === undefined ? '' : `${place.file}:${place.line}: `
    const text = `${where}${message}`
    if (this.#seen.has(text)) return
    this.#seen.add(text)
    process.emitWarning(text, 'TracerWarning')
  }
}
