import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** The part of a source map that leads from a place in compiled code back to its source. */
interface SourceMap {
  readonly sources: readonly string[]
  readonly sourcesContent?: readonly (string | null)[]
  readonly sourceRoot?: string
  readonly mappings: string
}
export interface OriginalPlace {
  readonly file: string
  readonly text: string
  /** Offset in the text. */
  readonly offset: number
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The numbers of one segment: base 64, five bits a digit, the sign in the lowest bit. */
function decodeSegment(text: string): number[] {
  const out: number[] = []
  let value = 0
  let shift = 0
  for (const c of text) {
    const digit = digits.indexOf(c)
    value += (digit & 31) * 2 ** shift
    if ((digit & 32) !== 0) shift += 5
    else {
      out.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2)
      value = 0
      shift = 0
    }
  }
  return out
}

/** The source place of a place in the code; lines and columns count from 0. */
function find(map: SourceMap, line: number, column: number): { source: number; line: number; column: number } | undefined {
  let [source, sourceLine, sourceColumn] = [0, 0, 0]
  let found: { source: number; line: number; column: number } | undefined
  const lines = map.mappings.split(';')
  for (let i = 0; i <= line && i < lines.length; i++) {
    let generated = 0
    for (const segment of lines[i] === '' ? [] : lines[i].split(',')) {
      const [step, ds = 0, dl = 0, dc = 0] = decodeSegment(segment)
      generated += step
      source += ds
      sourceLine += dl
      sourceColumn += dc
      if (i === line && generated <= column) found = { source, line: sourceLine, column: sourceColumn }
    }
  }
  return found
}

function mapOf(code: string, file: string): SourceMap | undefined {
  const url = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(code)?.[1]
  if (url === undefined) return undefined
  try {
    const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/.exec(url)
    if (inline !== null)
      return JSON.parse(inline[1] === undefined ? decodeURIComponent(inline[2]) : Buffer.from(inline[2], 'base64').toString()) as SourceMap
    return JSON.parse(readFileSync(resolve(dirname(file), url), 'utf8')) as SourceMap
  } catch {
    return undefined
  }
}

/** Offset of a place in a text; lines and columns count from 0. */
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0
  for (let i = 0; i < line; i++) {
    const end = text.indexOf('\n', at)
    if (end < 0) return text.length
    at = end + 1
  }
  return Math.min(text.length, at + column)
}

/** Where compiled code comes from; undefined without a source map that has the source or leads to it. */
export function originalPlace(code: string, file: string, line: number, column: number): OriginalPlace | undefined {
  const map = mapOf(code, file)
  const place = map === undefined ? undefined : find(map, line, column)
  if (map === undefined || place === undefined) return undefined
  const original = resolve(dirname(file), map.sourceRoot ?? '', map.sources[place.source])
  let text = map.sourcesContent?.[place.source] ?? undefined
  try {
    text ??= readFileSync(original, 'utf8')
  } catch {
    return undefined
  }
  return { file: original, text, offset: offsetOf(text, place.line, place.column) }
}
