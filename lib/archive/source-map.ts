import type { PickleValue } from './values.js'

/** A stretch of generated code and the user's source that it came from. */
export interface SourceRange {
  /** Byte offset in the archive's `.py` text from which this range holds, up to the next range. */
  offset: number
  /** The source text that the range lies in: a function, or the call stack of a traced operator. */
  text: string
  /** Where in `text`, in bytes. */
  start: number
  end: number
  /** File and number of the first line of `text`, where they are known. */
  file: string | undefined
  line: number
}

/** The content of a `.debug_pkl`. */
export class SourceMap {
  readonly ranges: readonly SourceRange[]

  constructor(ranges: SourceRange[]) {
    this.ranges = ranges.sort((a, b) => a.offset - b.offset)
  }

  /** The range that the code at a byte offset of the `.py` text came from. */
  find(offset: number): SourceRange | undefined {
    let low = 0
    let high = this.ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.ranges[middle].offset <= offset) low = middle + 1
      else high = middle
    }
    return this.ranges[low - 1]
  }
}

const itemsOf = (value: PickleValue | undefined): PickleValue[] | undefined =>
  value?.kind === 'tuple' || value?.kind === 'list' ? value.items : undefined
const intOf = (value: PickleValue | undefined): number => (value?.kind === 'int' ? Number(value.value) : 0)
const textOf = (value: PickleValue | undefined): string | undefined => (value?.kind === 'string' ? value.value : undefined)

/**
 * Reads an unpickled `.debug_pkl`: ('FORMAT_WITH_STRING_TABLE', strings, ranges) with range = (offset, ((indices of the text's
 * pieces, index of the file name, line), start, end), tag), or the older list of (offset, ((text, file, line), start, end)).
 * What does not look like that is left out: the map only improves messages.
 */
export function readSourceMap(value: PickleValue): SourceMap | undefined {
  const outer = itemsOf(value)
  if (outer === undefined) return undefined
  const hasTable = textOf(outer[0]) === 'FORMAT_WITH_STRING_TABLE'
  const strings = hasTable ? (itemsOf(outer[1]) ?? []).map((item) => textOf(item) ?? '') : []
  const texts = new Map<PickleValue, string>()
  const pieces = (value: PickleValue | undefined): string | undefined => {
    const indices = itemsOf(value)
    if (value === undefined || indices === undefined) return textOf(value)
    let text = texts.get(value)
    if (text === undefined) {
      text = indices.map((index) => strings[intOf(index)] ?? '').join('')
      texts.set(value, text)
    }
    return text
  }
  const ranges: SourceRange[] = []
  for (const entry of (hasTable ? itemsOf(outer[2]) : outer) ?? []) {
    const [offset, range] = itemsOf(entry) ?? []
    const [source, start, end] = itemsOf(range) ?? []
    const [text, file, line] = itemsOf(source) ?? []
    const decoded = pieces(text)
    if (decoded === undefined || decoded === '') continue
    const fileName = file?.kind === 'int' ? strings[intOf(file)] : textOf(file)
    const place = { file: fileName || undefined, line: intOf(line) }
    ranges.push({ offset: intOf(offset), text: decoded, start: intOf(start), end: intOf(end), ...place })
  }
  return new SourceMap(ranges)
}
