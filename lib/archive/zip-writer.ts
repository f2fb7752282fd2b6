import { deflateRawSync } from 'node:zlib'
import { ArgumentError } from '../util/errors.js'
import { crc32 } from './crc32.js'

/*
 * Zip files as PyTorch writes them (the layout is in zip.ts), byte for byte: sizes and CRC behind the data, no times, a zip64 end
 * record always, and each member's data at a multiple of 64, so that it can be used from a memory-mapped file. The
 * padding is an extra field of the local header: id 'FB', its length, that many 'Z'. The same input gives the same bytes.
 */
const alignment = 64
const large = 0xffffffff
/** Bit 3: sizes follow the data. Bit 11: names are UTF-8. */
const flags = 0x0808

interface Written {
  name: Uint8Array
  method: number
  crc: number
  compressedSize: number
  size: number
  offset: number
}

export interface ZipMemberOptions {
  /** Deflate the data instead of storing it. */
  deflate?: boolean
}

/** Collects members; `finish` gives the file. */
export class ZipWriter {
  readonly #root: string
  readonly #chunks: Uint8Array[] = []
  readonly #members: Written[] = []
  readonly #names = new Set<string>()
  #cursor = 0

  /** `root` is the folder above all members, or `''`. */
  constructor(root = '') {
    this.#root = root === '' ? '' : `${root}/`
  }

  /** Adds a member and gives its CRC. The bytes are kept by reference until `finish`. */
  add(name: string, data: Uint8Array, options: ZipMemberOptions = {}): number {
    const fullName = this.#root + name
    if (this.#names.has(fullName)) throw new ArgumentError(`Expected a new name for \`name\` but received ${name} again`)
    const encoded = Buffer.from(fullName, 'utf8')
    if (name === '' || encoded.length > 0xffff) {
      throw new ArgumentError(`Expected a name of 1 to 65535 bytes for \`name\` but received ${encoded.length}`)
    }
    this.#names.add(fullName)
    const body = options.deflate ? deflateRawSync(data) : data
    const member = {
      name: encoded,
      method: options.deflate ? 8 : 0,
      crc: crc32(data),
      compressedSize: body.length,
      size: data.length,
      offset: this.#cursor,
    }
    this.#members.push(member)
    this.#push(localHeader(member))
    this.#push(body)
    this.#push(dataDescriptor(member))
    return member.crc
  }

  /** The whole file as pieces to write one after the other. The writer takes no more members afterwards. */
  finish(): Uint8Array[] {
    const directoryOffset = this.#cursor
    for (const member of this.#members) this.#push(centralEntry(member))
    const directorySize = this.#cursor - directoryOffset
    this.#push(endRecords(this.#members.length, directoryOffset, directorySize))
    return this.#chunks
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#cursor += bytes.length
  }
}

/** The zip64 field of a member, with those numbers that do not fit; empty where all fit. */
function zip64Field(member: Written, header: 'local' | 'central'): Buffer {
  const isLarge = member.size >= large || member.compressedSize >= large
  const numbers = isLarge ? [member.size, member.compressedSize] : []
  if (member.offset >= large) numbers.push(member.offset)
  if (numbers.length === 0) return Buffer.alloc(0)
  const field = Buffer.alloc(4 + 8 * numbers.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8 * numbers.length, 2)
  // The local header leaves sizes to the descriptor.
  numbers.forEach((number, i) => field.writeBigUInt64LE(header === 'local' && isLarge && i < 2 ? 0n : BigInt(number), 4 + 8 * i))
  return field
}

function localHeader(member: Written): Uint8Array {
  const zip64 = zip64Field(member, 'local')
  const start = member.offset + 30 + member.name.length + zip64.length + 4
  const padding = (alignment - (start % alignment)) % alignment
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(member.method === 8 ? 20 : 0, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(member.method, 8)
  if (zip64.length > 0 && (member.size >= large || member.compressedSize >= large)) {
    header.writeUInt32LE(large, 18)
    header.writeUInt32LE(large, 22)
  }
  header.writeUInt16LE(member.name.length, 26)
  header.writeUInt16LE(zip64.length + 4 + padding, 28)
  const field = Buffer.alloc(4 + padding, 'Z')
  field.write('FB', 0, 'latin1')
  field.writeUInt16LE(padding, 2)
  return Buffer.concat([header, member.name, zip64, field])
}

function dataDescriptor(member: Written): Uint8Array {
  const isLarge = member.size >= large || member.compressedSize >= large
  const descriptor = Buffer.alloc(isLarge ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(member.crc, 4)
  if (isLarge) {
    descriptor.writeBigUInt64LE(BigInt(member.compressedSize), 8)
    descriptor.writeBigUInt64LE(BigInt(member.size), 16)
  } else {
    descriptor.writeUInt32LE(member.compressedSize, 8)
    descriptor.writeUInt32LE(member.size, 12)
  }
  return descriptor
}

function centralEntry(member: Written): Uint8Array {
  const zip64 = zip64Field(member, 'central')
  const isLarge = member.size >= large || member.compressedSize >= large
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(member.method === 8 ? 20 : 0, 6)
  entry.writeUInt16LE(flags, 8)
  entry.writeUInt16LE(member.method, 10)
  entry.writeUInt32LE(member.crc, 16)
  entry.writeUInt32LE(isLarge ? large : member.compressedSize, 20)
  entry.writeUInt32LE(isLarge ? large : member.size, 24)
  entry.writeUInt16LE(member.name.length, 28)
  entry.writeUInt16LE(zip64.length, 30)
  entry.writeUInt32LE(Math.min(member.offset, large), 42)
  return Buffer.concat([entry, member.name, zip64])
}

/** zip64 end record, its locator and the classic end record. */
function endRecords(count: number, directoryOffset: number, directorySize: number): Uint8Array {
  const end = Buffer.alloc(56 + 20 + 22)
  end.writeUInt32LE(0x06064b50, 0)
  end.writeBigUInt64LE(44n, 4)
  end.writeUInt16LE(0x031e, 12)
  end.writeUInt16LE(45, 14)
  end.writeBigUInt64LE(BigInt(count), 24)
  end.writeBigUInt64LE(BigInt(count), 32)
  end.writeBigUInt64LE(BigInt(directorySize), 40)
  end.writeBigUInt64LE(BigInt(directoryOffset), 48)
  end.writeUInt32LE(0x07064b50, 56)
  end.writeBigUInt64LE(BigInt(directoryOffset + directorySize), 64)
  end.writeUInt32LE(1, 72)
  end.writeUInt32LE(0x06054b50, 76)
  end.writeUInt16LE(Math.min(count, 0xffff), 84)
  end.writeUInt16LE(Math.min(count, 0xffff), 86)
  end.writeUInt32LE(Math.min(directorySize, large), 88)
  end.writeUInt32LE(Math.min(directoryOffset, large), 92)
  return end
}
