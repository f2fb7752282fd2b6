import type { SourceRange } from '../ir/graph.js'

/** A source position as messages show it. */
export interface RenderedRange {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 0. */
  readonly column: number
  readonly text: string
}

const contextLines = 3
const maxLineLength = 200
const lineStarts = new Map<string, readonly number[]>()
const maxCachedTexts = 64

function startsOf(text: string): readonly number[] {
  let starts = lineStarts.get(text)
  if (starts === undefined) {
    const found = [0]
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) found.push(at + 1)
    if (lineStarts.size >= maxCachedTexts) lineStarts.clear()
    lineStarts.set(text, (starts = found))
  }
  return starts
}

/** Index of the last line that starts at or before `offset`. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle] <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** The lines around a range with `~~~ <--- HERE` below the marked one, as PyTorch shows them. */
export function renderRange(range: SourceRange): RenderedRange {
  const starts = startsOf(range.text)
  const line = lineOf(starts, range.start)
  const column = range.start - starts[line]
  const lineText = (index: number): string => {
    const end = index + 1 < starts.length ? starts[index + 1] - 1 : range.text.length
    return range.text.slice(starts[index], Math.min(end, starts[index] + maxLineLength))
  }
  const lines: string[] = []
  for (let i = Math.max(0, line - contextLines); i <= line; i++) lines.push(lineText(i))
  const width = Math.min(range.end - range.start, lineText(line).length - column)
  lines.push(`${' '.repeat(column)}${'~'.repeat(Math.max(1, width))} <--- HERE`)
  for (let i = line + 1; i <= Math.min(starts.length - 1, line + contextLines); i++) lines.push(lineText(i))
  return { file: range.file, line: line + 1, column, text: lines.join('\n') }
}
