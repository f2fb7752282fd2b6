import { inflateRawSync } from 'node:zlib'
import { ArchiveError } from '../util/errors.js'
import { describeSource } from './file-kind.js'
import type { ByteSource } from './source.js'

/*
 * Layout of a zip file, all numbers little endian (PKWARE APPNOTE 4.3):
 *
 *   local header  0 'PK\3\4'  6 flags  8 method  18 compressed size  22 size  26 name length  28 extra length  30 name, extra, data
 *   central entry 0 'PK\1\2'  8 flags  10 method  16 crc  20 compressed size  24 size  28 name length  30 extra length
 *                 32 comment length  34 disk  42 offset of the local header  46 name, extra, comment
 *   end record    0 'PK\5\6'  4 disk  8 entries here  10 entries  12 bytes of the directory  16 its offset  20 comment length
 *   zip64 locator 0 'PK\6\7'  8 offset of the zip64 end record         (the 20 bytes before the end record)
 *   zip64 end     0 'PK\6\6'  24 entries here  32 entries  40 bytes of the directory  48 its offset
 *
 * The central directory is the truth about sizes: writers that stream (PyTorch among them) leave zeros in the local header
 * and put the sizes into a descriptor behind the data. CRCs are not verified: PyTorch does not verify them either, and can be
 * told not to compute them.
 */
const localSignature = 0x04034b50
const centralSignature = 0x02014b50
const endSignature = 0x06054b50
const zip64LocatorSignature = 0x07064b50
const zip64EndSignature = 0x06064b50

/** Deflate cannot shrink below this ratio (258 bytes for two bits), so a member that declares more is a lie. */
const maxDeflateRatio = 1032

/** How much inflating one archive may cost, unless the caller says otherwise. */
const defaultInflateLimit = 4 * 2 ** 30

export interface ZipOptions {
  /**
   * Whether all members lie under one root folder, which names leave out (PyTorch's archives). Default true; `'optional'` takes
   * a file whose first member lies in no folder as one without a root.
   */
  root?: boolean | 'optional'
  /** The most bytes that all inflated members together may have. */
  inflateLimit?: number
}

interface ZipEntry {
  /** Name in the file, root included. */
  readonly fullName: string
  readonly method: number
  readonly encrypted: boolean
  readonly compressedSize: number
  readonly size: number
  readonly headerOffset: number
  /** Where the next member or the directory begins: this member ends here at the latest. */
  limit: number
  dataOffset: number | undefined
  /** Whether its size is taken from the archive's limit already. */
  isCharged: boolean
}

export interface ZipArchive {
  /** The folder above all members, or `''`. */
  readonly root: string
  /** Member names without the root, in the order of the directory. */
  names(): string[]
  has(name: string): boolean
  /** Bytes of the member, inflated. */
  size(name: string): number
  /** The content; where it is stored, a view of the source if the source has views. */
  bytes(name: string): Uint8Array
  /** Whether the content lies in the file as it is, from `dataOffset`. */
  isStored(name: string): boolean
  /** Offset in the file of the member's data (compressed data for a deflated member). */
  dataOffset(name: string): number
  readonly source: ByteSource
}

/** Opens a zip file: reads and checks its directory, and nothing else. */
export function openZip(source: ByteSource, options: ZipOptions = {}): ZipArchive {
  const directory = findDirectory(source)
  const entries = readDirectory(source, directory)
  const root = options.root === false || entries.length === 0 ? '' : rootOf(entries[0].fullName, options.root === 'optional')
  const prefix = root === '' ? '' : `${root}/`
  const members = new Map<string, ZipEntry>()
  for (const entry of entries) {
    if (!entry.fullName.startsWith(prefix) || entry.fullName.endsWith('/')) continue
    members.set(entry.fullName.slice(prefix.length), entry)
  }
  return new Archive(source, root, members, options.inflateLimit ?? defaultInflateLimit)
}

function rootOf(name: string, isOptional: boolean): string {
  const slash = name.indexOf('/')
  if (slash <= 0 && !isOptional) throw new ArchiveError('Expected all members to lie in one folder but the first one lies in none', name)
  return name.slice(0, Math.max(slash, 0))
}

interface Directory {
  offset: number
  size: number
  entries: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function uint64(view: DataView, at: number, what: string): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ArchiveError(`The zip directory is malformed: ${what} is ${value}`)
  return Number(value)
}

/** Finds the end record (searching back over a comment) and, through it, the central directory. */
function findDirectory(source: ByteSource): Directory {
  const tailSize = Math.min(source.size, 22 + 0xffff + 20)
  const tailOffset = source.size - tailSize
  const tail = viewOf(source.view(tailOffset, tailSize))
  let end = tailSize - 22
  while (end >= 0 && !(tail.getUint32(end, true) === endSignature && end + 22 + tail.getUint16(end + 20, true) <= tailSize)) end--
  if (end < 0) {
    const signature = source.size >= 4 ? viewOf(source.view(0, 4)).getUint32(0, true) : 0
    if (signature === localSignature) {
      throw new ArchiveError('The zip file is truncated: it has no central directory. The copy or download of it is probably incomplete')
    }
    throw new ArchiveError(`Expected a zip file but received ${describeSource(source)}`)
  }
  const directory: Directory = {
    entries: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  }
  let disk = tail.getUint16(end + 4, true)
  let endOffset = tailOffset + end
  if (end >= 20 && tail.getUint32(end - 20, true) === zip64LocatorSignature) {
    const at = uint64(tail, end - 12, 'the place of the zip64 end record')
    if (at + 56 > endOffset - 20) throw new ArchiveError('The zip directory is malformed: the zip64 end record lies outside of the file')
    const zip64 = viewOf(source.view(at, 56))
    if (zip64.getUint32(0, true) !== zip64EndSignature) {
      throw new ArchiveError('The zip directory is malformed: there is no zip64 end record where it should be')
    }
    disk = zip64.getUint32(16, true)
    directory.entries = uint64(zip64, 32, 'the number of members')
    directory.size = uint64(zip64, 40, 'the size of the directory')
    directory.offset = uint64(zip64, 48, 'the place of the directory')
    endOffset = at
  }
  if (disk !== 0) throw new ArchiveError('The zip file is one part of a split archive, which is not supported')
  if (directory.offset + directory.size > endOffset) {
    throw new ArchiveError(
      `The zip directory is malformed: ${directory.size} bytes at ${directory.offset} do not fit before its end record at ${endOffset}`,
    )
  }
  if (directory.entries * 46 > directory.size) {
    throw new ArchiveError(`The zip directory is malformed: ${directory.entries} members do not fit in ${directory.size} bytes`)
  }
  return directory
}

function readDirectory(source: ByteSource, directory: Directory): ZipEntry[] {
  const bytes = source.view(directory.offset, directory.size)
  const view = viewOf(bytes)
  const decoder = new TextDecoder('utf-8')
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let at = 0
  for (let i = 0; i < directory.entries; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== centralSignature) {
      throw new ArchiveError(`The zip directory is malformed: member ${i} of ${directory.entries} has no entry`)
    }
    const nameLength = view.getUint16(at + 28, true)
    const extraLength = view.getUint16(at + 30, true)
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
    if (next > bytes.length) throw new ArchiveError(`The zip directory is malformed: the entry of member ${i} reaches past its end`)
    const fullName = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength))
    checkName(fullName)
    if (names.has(fullName)) throw new ArchiveError('The zip file has two members of this name', fullName)
    names.add(fullName)
    const entry = {
      fullName,
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      headerOffset: view.getUint32(at + 42, true),
      limit: 0,
      dataOffset: undefined,
      isCharged: false,
    }
    readZip64Extra(entry, new DataView(view.buffer, view.byteOffset + at + 46 + nameLength, extraLength))
    entries.push(entry)
    at = next
  }
  checkOverlap(entries, directory.offset)
  return entries
}

/** Names are never used as paths of the file system, but what looks like an attack on one is refused all the same. */
function checkName(name: string): void {
  const isAbsolute = name.startsWith('/') || /^[a-zA-Z]:/.test(name)
  const unsafe = name === '' || isAbsolute || name.includes('\\') || name.includes('\0') || name.split('/').includes('..')
  if (unsafe) throw new ArchiveError(`Expected a relative name without \`..\` for a zip member but received ${JSON.stringify(name)}`)
}

/** Extra field 1 holds, in this order, those of the numbers that are all ones in the entry. */
function readZip64Extra(entry: { fullName: string; size: number; compressedSize: number; headerOffset: number }, extra: DataView): void {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = extra.getUint16(at, true)
    const end = at + 4 + extra.getUint16(at + 2, true)
    if (end > extra.byteLength) return
    if (id === 1) {
      let field = at + 4
      for (const key of ['size', 'compressedSize', 'headerOffset'] as const) {
        if (entry[key] !== 0xffffffff) continue
        if (field + 8 > end) throw new ArchiveError('The zip directory is malformed: a zip64 field is too short', entry.fullName)
        entry[key] = uint64(extra, field, `the ${key} of ${entry.fullName}`)
        field += 8
      }
      return
    }
    at = end
  }
}

/** No byte of the file may serve two members: overlapping members are how small files unpack to huge ones. */
function checkOverlap(entries: readonly ZipEntry[], directoryOffset: number): void {
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset)
  sorted.forEach((entry, i) => {
    entry.limit = i + 1 < sorted.length ? sorted[i + 1].headerOffset : directoryOffset
    const end = entry.headerOffset + 30 + entry.compressedSize
    if (end > directoryOffset) {
      const limit = `past the last one's limit ${directoryOffset}`
      throw new ArchiveError(`The zip file is truncated or malformed: the member ends at ${end}, ${limit}`, entry.fullName)
    }
    if (end > entry.limit) {
      throw new ArchiveError(`The zip file is malformed: the member overlaps ${sorted[i + 1].fullName}`, entry.fullName)
    }
  })
}

class Archive implements ZipArchive {
  readonly source: ByteSource
  readonly root: string
  readonly #members: Map<string, ZipEntry>
  #inflateBudget: number

  constructor(source: ByteSource, root: string, members: Map<string, ZipEntry>, inflateLimit: number) {
    this.source = source
    this.root = root
    this.#members = members
    this.#inflateBudget = inflateLimit
  }

  names(): string[] {
    return [...this.#members.keys()]
  }

  has(name: string): boolean {
    return this.#members.has(name)
  }

  size(name: string): number {
    return this.#entry(name).size
  }

  isStored(name: string): boolean {
    return this.#entry(name).method === 0
  }

  dataOffset(name: string): number {
    const entry = this.#entry(name)
    entry.dataOffset ??= this.#readLocalHeader(entry, name)
    return entry.dataOffset
  }

  bytes(name: string): Uint8Array {
    const entry = this.#entry(name)
    const offset = this.dataOffset(name)
    const data = this.source.view(offset, entry.compressedSize)
    return entry.method === 0 ? data : this.#inflate(entry, data, name)
  }

  #entry(name: string): ZipEntry {
    const entry = this.#members.get(name)
    if (entry === undefined) throw new ArchiveError(`The archive has no member ${name}`)
    if (entry.encrypted) throw new ArchiveError('The member is encrypted, which is not supported', name)
    if (entry.method !== 0 && entry.method !== 8) {
      throw new ArchiveError(`The member is compressed with method ${entry.method}; stored and deflate are supported`, name)
    }
    if (entry.method === 0 && entry.size !== entry.compressedSize) {
      throw new ArchiveError(`The stored member declares two sizes, ${entry.size} and ${entry.compressedSize}`, name)
    }
    if (entry.method === 8 && entry.size > entry.compressedSize * maxDeflateRatio) {
      throw new ArchiveError(`The member declares ${entry.size} bytes, more than ${entry.compressedSize} deflated bytes can hold`, name)
    }
    return entry
  }

  #readLocalHeader(entry: ZipEntry, name: string): number {
    const at = entry.headerOffset
    const header = viewOf(this.source.view(at, 30))
    if (header.getUint32(0, true) !== localSignature) {
      throw new ArchiveError(`There is no zip member at ${at}, where the directory says`, name)
    }
    const nameLength = header.getUint16(26, true)
    const offset = at + 30 + nameLength + header.getUint16(28, true)
    if (offset + entry.compressedSize > entry.limit) {
      const limit = `${entry.limit}, where the next one begins`
      throw new ArchiveError(`The member's ${entry.compressedSize} bytes at ${offset} reach past ${limit}`, name)
    }
    if (new TextDecoder('utf-8').decode(this.source.view(at + 30, nameLength)) !== entry.fullName) {
      throw new ArchiveError('The member has another name than the directory says', name)
    }
    return offset
  }

  #inflate(entry: ZipEntry, data: Uint8Array, name: string): Uint8Array {
    if (!entry.isCharged) {
      if (entry.size > this.#inflateBudget) {
        throw new ArchiveError(`Unpacking the member's ${entry.size} bytes would pass the limit for one archive`, name)
      }
      this.#inflateBudget -= entry.size
      entry.isCharged = true
    }
    let bytes
    try {
      bytes = inflateRawSync(data, { maxOutputLength: Math.max(entry.size, 1) })
    } catch (error) {
      const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      const reason = tooLong ? `it unpacks to more than the ${entry.size} bytes it declares` : (error as Error).message
      throw new ArchiveError(`The deflated member is malformed: ${reason}`, name, { cause: error })
    }
    if (bytes.length !== entry.size) {
      throw new ArchiveError(`The deflated member is malformed: it unpacks to ${bytes.length} bytes and declares ${entry.size}`, name)
    }
    // A plain array: the slices of a Buffer would share its memory.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}
