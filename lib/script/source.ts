import type { SourceRange } from '../ir/graph.js'
import { CompileError } from '../util/errors.js'

/** The source lines around a range, the first line of it underlined, as PyTorch shows them. */
export function renderRange(range: SourceRange, context = 3): string {
  const { text } = range
  const lines = text.split('\n')
  let offset = 0
  let first = 0
  while (first < lines.length - 1 && offset + lines[first].length < range.start) offset += lines[first++].length + 1
  const column = range.start - offset
  const width = Math.max(1, Math.min(range.end, offset + lines[first].length) - range.start)
  const out: string[] = [`  File "${range.file}", line ${first + 1}`]
  for (let i = Math.max(0, first - context); i <= Math.min(lines.length - 1, first + context); i++) {
    out.push(lines[i])
    if (i === first) out.push(`${' '.repeat(column)}${'~'.repeat(width)} <--- HERE`)
  }
  return out.join('\n')
}

/** A CompileError whose message ends with a code frame. */
export const compileError = (message: string, range: SourceRange): CompileError =>
  new CompileError(`${message}${message.endsWith(':') ? '' : ':'}\n${renderRange(range)}`)

/** The range from the start of one to the end of another. */
export const joinRanges = (a: SourceRange, b: SourceRange): SourceRange => ({ file: a.file, text: a.text, start: a.start, end: b.end })
