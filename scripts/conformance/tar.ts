import type { Readable } from 'node:stream'

/** A file of a tar archive. */
export interface TarFile {
  readonly name: string
  readonly bytes: Buffer
}

const blockSize = 512

/** Gives the bytes of a stream in the sizes asked for. */
class Chunks {
  private readonly iterator: AsyncIterator<Buffer>
  private rest: Buffer = Buffer.alloc(0)
  constructor(stream: Readable) {
    this.iterator = stream[Symbol.asyncIterator]()
  }
  /** `length` bytes; shorter at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    let missing = length
    for (;;) {
      const part = this.rest.subarray(0, missing)
      if (part.length > 0) parts.push(part)
      this.rest = this.rest.subarray(part.length)
      missing -= part.length
      if (missing === 0) break
      const { value, done } = await this.iterator.next()
      if (done) break
      this.rest = value
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
  async skip(length: number): Promise<void> {
    const step = 1 << 20
    for (let left = length; left > 0; left -= step) await this.take(Math.min(step, left))
  }
  /** Reads to the end of the stream: unread bytes would keep it, and the program that writes it, open. */
  async drain(): Promise<void> {
    while ((await this.iterator.next()).done !== true);
  }
}

const text = (field: Buffer): string => {
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? field.length : end).toString('utf8')
}

/** Octal digits, or big-endian binary when the first bit is set. */
function number(field: Buffer): number {
  if ((field[0] & 0x80) === 0) return parseInt(text(field).trim() || '0', 8)
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0)
}

/** The `path` of a pax header, whose records are `<length> <key>=<value>\n`. */
function paxPath(bytes: Buffer): string | undefined {
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.subarray(at, space).toString('latin1'))
    if (!(length > 0)) return undefined
    const record = bytes.subarray(space + 1, at + length - 1).toString('utf8')
    if (record.startsWith('path=')) return record.slice(5)
    at += length
  }
  return undefined
}

/** Regular files of a tar stream in order. Contents that `wanted` declines are skipped. */
export async function* readTar(stream: Readable, wanted: (name: string) => boolean): AsyncGenerator<TarFile> {
  const chunks = new Chunks(stream)
  let longName: string | undefined
  for (;;) {
    const header = await chunks.take(blockSize)
    if (header.length < blockSize || header[0] === 0) return chunks.drain()
    const size = number(header.subarray(124, 136))
    const padding = (blockSize - (size % blockSize)) % blockSize
    const type = String.fromCharCode(header[156])
    const prefix = text(header.subarray(345, 500))
    const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + text(header.subarray(0, 100))
    const isFile = type === '0' || type === '\0'
    if (type === 'L' || type === 'x') {
      const bytes = await chunks.take(size)
      longName = type === 'L' ? text(bytes) : (paxPath(bytes) ?? longName)
    } else {
      longName = undefined
      if (isFile && wanted(name)) yield { name, bytes: await chunks.take(size) }
      else await chunks.skip(size)
    }
    await chunks.skip(padding)
  }
}
