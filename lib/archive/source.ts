import { constants } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ArchiveError, ArgumentError } from '../util/errors.js'

/** Random access to the bytes of a file or of memory. Offsets and lengths are checked: no read leaves `0..size`. */
export interface ByteSource {
  readonly size: number
  /** How messages and archive roots call it: the path, or undefined for memory. */
  readonly name: string | undefined
  /** True where the memory of `view` belongs to this source alone, so that writing into it is seen by nobody else. */
  readonly exclusive: boolean
  /** A copy of the bytes. */
  read(offset: number, length: number): Uint8Array
  /** The bytes, without a copy where the source lies in memory. */
  view(offset: number, length: number): Uint8Array
}

/** What files can be given as: a path, a file URL, bytes, or an open file (descriptor or handle), which stays open. */
export type SourceInput = string | URL | Uint8Array | ArrayBuffer | SharedArrayBuffer | number | FileHandle | ByteSource

/** Maps a file into memory, privately: writes into the buffer never reach the file. */
export type FileMapper = (path: string) => ArrayBuffer

let mapFile: FileMapper | undefined

/** Sets how paths are mapped into memory. Without a mapper, files are read in ranges as they are needed. */
export function setFileMapper(mapper: FileMapper | undefined): void {
  mapFile = mapper
}

/** Opens what a caller gave as a file. */
export function openSource(input: SourceInput): ByteSource {
  if (typeof input === 'string') return openPath(input, input)
  if (input instanceof URL) {
    if (input.protocol !== 'file:') throw new ArgumentError(`Expected a file: URL for \`file\` but received ${input.protocol}`)
    return openPath(fileURLToPath(input), fileURLToPath(input))
  }
  if (input instanceof Uint8Array) return new MemorySource(input, undefined, false)
  if (input instanceof ArrayBuffer || (typeof SharedArrayBuffer !== 'undefined' && input instanceof SharedArrayBuffer)) {
    return new MemorySource(new Uint8Array(input), undefined, false)
  }
  if (typeof input === 'number') return openDescriptor(input)
  if (typeof input === 'object' && input !== null) {
    if ('view' in input && 'read' in input && 'size' in input) return input as ByteSource
    if ('fd' in input && typeof input.fd === 'number') return openDescriptor(input.fd)
  }
  throw new ArgumentError(`Expected a path, a Buffer, an ArrayBuffer or an open file for \`file\` but received ${typeName(input)}`)
}

const typeName = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value

/** Files up to this size are read at once: cheaper than a few ranges. */
const smallFile = 1 << 18

/** `path` is opened; `name` is what messages say. `keepOpen` where the path will not lead to the file later. */
function openPath(path: string, name: string | undefined, keepOpen = false): ByteSource {
  const fd = openForReading(path, name)
  let isKept = false
  try {
    const identity = identify(fd, name)
    const { size } = identity
    if (size === 0) return new MemorySource(new Uint8Array(0), name, true)
    // Larger files do not fit in one ArrayBuffer (4 GiB in Node 20).
    if (mapFile !== undefined && size <= constants.MAX_LENGTH) {
      try {
        const buffer = mapFile(path)
        return new MemorySource(new Uint8Array(buffer), name, true)
      } catch {
        // A file system without mmap: ranges work everywhere.
      }
    }
    if (size <= smallFile) return new MemorySource(readRange(fd, 0, size, name), name, true)
    isKept = keepOpen
    return keepOpen ? new RangeSource(size, name, heldFile(fd)) : new RangeSource(size, name, reopenedFile(path, name, identity))
  } finally {
    if (!isKept) closeSync(fd)
  }
}

function openForReading(path: string, name: string | undefined): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw unreadable(name, error)
  }
}

/**
 * A descriptor that the caller owns. The caller may close it while tensors still wait to be read, so it is opened anew
 * through /dev/fd where the system has it, and read whole elsewhere.
 */
function openDescriptor(fd: number): ByteSource {
  if (!Number.isInteger(fd) || fd < 0) throw new ArgumentError(`Expected an open file descriptor for \`file\` but received ${fd}`)
  const { size } = identify(fd, undefined)
  for (const path of [`/proc/self/fd/${fd}`, `/dev/fd/${fd}`]) {
    try {
      return openPath(path, undefined, true)
    } catch {
      // Not on this system.
    }
  }
  return new MemorySource(readRange(fd, 0, size, undefined), undefined, true)
}

interface FileIdentity {
  readonly device: number
  readonly inode: number
  readonly size: number
  readonly modified: number
}

function identify(fd: number, name: string | undefined): FileIdentity {
  let stat
  try {
    stat = fstatSync(fd)
  } catch (error) {
    throw unreadable(name, error)
  }
  if (stat.isDirectory()) throw new ArchiveError(`Expected a file for \`file\` but received the folder ${name ?? 'of the handle'}`)
  if (!stat.isFile()) {
    throw new ArchiveError(`Expected a regular file for \`file\` but received ${name ?? 'a handle'}, which is a pipe or a device`)
  }
  return { device: stat.dev, inode: stat.ino, size: stat.size, modified: stat.mtimeMs }
}

const unreadable = (name: string | undefined, error: unknown): ArchiveError =>
  new ArchiveError(`Expected a readable file for \`file\` but received ${name ?? 'a handle'}: ${(error as Error).message}`, undefined, {
    cause: error,
  })

function checkRange(offset: number, length: number, size: number): void {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new ArchiveError(`The file ends too early: ${length} bytes at ${offset} are needed, and it has ${size}`)
  }
}

/** Bytes in memory as a source. */
export const memorySource = (bytes: Uint8Array, exclusive: boolean): ByteSource => new MemorySource(bytes, undefined, exclusive)

class MemorySource implements ByteSource {
  readonly size: number
  readonly name: string | undefined
  readonly exclusive: boolean
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, name: string | undefined, exclusive: boolean) {
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.size = bytes.byteLength
    this.name = name
    this.exclusive = exclusive
  }

  read(offset: number, length: number): Uint8Array {
    return this.view(offset, length).slice()
  }

  view(offset: number, length: number): Uint8Array {
    checkRange(offset, length, this.#bytes.byteLength)
    return this.#bytes.subarray(offset, offset + length)
  }
}

/** Gives a descriptor to a reader for the time of one read. */
type FileAccess = (use: (fd: number) => Uint8Array) => Uint8Array

/**
 * Opens the file for each read, so that any number of sources costs no descriptors; fails once the path leads to another file
 * than at first.
 */
function reopenedFile(path: string, name: string | undefined, identity: FileIdentity): FileAccess {
  return (use) => {
    const fd = openForReading(path, name)
    try {
      const now = identify(fd, name)
      const same = (['device', 'inode', 'size', 'modified'] as const).every((key) => now[key] === identity[key])
      if (!same) throw new ArchiveError(`The file was changed or replaced after it was opened: ${name ?? path}`)
      return use(fd)
    } finally {
      closeSync(fd)
    }
  }
}

const closeWhenCollected = new FinalizationRegistry<number>((fd) => closeSync(fd))

/** Holds the descriptor until nobody can reach the access any more. */
function heldFile(fd: number): FileAccess {
  const access: FileAccess = (use) => use(fd)
  closeWhenCollected.register(access, fd)
  return access
}

/** Reads ranges of a file as they are asked for. */
class RangeSource implements ByteSource {
  readonly size: number
  readonly name: string | undefined
  readonly exclusive = true
  readonly #access: FileAccess

  constructor(size: number, name: string | undefined, access: FileAccess) {
    this.size = size
    this.name = name
    this.#access = access
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(offset, length, this.size)
    return this.#access((fd) => readRange(fd, offset, length, this.name))
  }

  view(offset: number, length: number): Uint8Array {
    return this.read(offset, length)
  }
}

/** One call to read(2) moves at most 2 GiB. */
const maxRead = 1 << 30

function readRange(fd: number, offset: number, length: number, name: string | undefined): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(length)
  } catch (error) {
    throw new ArchiveError(`No memory for ${length} bytes of ${name ?? 'the file'}`, undefined, { cause: error })
  }
  let done = 0
  while (done < length) {
    let count
    try {
      count = readSync(fd, bytes, done, Math.min(length - done, maxRead), offset + done)
    } catch (error) {
      throw unreadable(name, error)
    }
    if (count === 0) throw new ArchiveError(`The file became shorter while it was read: ${name ?? 'a handle'}`)
    done += count
  }
  return bytes
}
