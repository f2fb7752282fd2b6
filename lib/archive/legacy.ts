import { type DType, dtypeSize } from '../tensor/dtype.js'
import { ArchiveError } from '../util/errors.js'
import { NeedMoreBytes, unpickle, type UnpickleOptions } from './pickle.js'
import type { LoadOptions } from './records.js'
import type { ByteSource } from './source.js'
import { LazyStorage, metaStorage, resolveLocation, swapBytes, tensorBytes } from './storage.js'
import { StorageTable } from './tensors.js'
import { describeValue, dictGet, type PickleValue } from './values.js'

/*
 * The format of torch.save before PyTorch 1.6, and of _use_new_zipfile_serialization=False: five pickles one after the other
 * (magic number, protocol 1001, system, object, list of storage keys), then for each key the number of its elements (int64)
 * and its bytes.
 */
const magic = 0x1950a86a20f9469cfc6cn
const protocolVersion = 1001n

/** First window of a pickle of unknown length; grows until the pickle fits. */
const firstWindow = 1 << 16

/** Loads a file in the legacy format. */
export function loadLegacy(source: ByteSource, options: LoadOptions): PickleValue {
  const reader = new PickleSequence(source)
  const first = reader.next('the magic number')
  if (first.kind !== 'int' || first.value !== magic) {
    throw new ArchiveError('Expected a file that torch.save wrote but received another Python pickle')
  }
  const protocol = reader.next('the protocol version')
  if (protocol.kind !== 'int' || protocol.value !== protocolVersion) {
    throw new ArchiveError(`Expected protocol version ${protocolVersion} but received ${describeValue(protocol)}`)
  }
  const littleEndian = dictGet(reader.next('the system information'), 'little_endian')
  const swap = littleEndian?.kind === 'bool' && !littleEndian.value

  const offsets = new Map<string, number>()
  const table = new StorageTable({
    swap,
    create(key: string, dtype: DType, byteLength: number, location: string) {
      const device = resolveLocation(location, options.mapLocation, options.hasDevice)
      if (device === 'meta') return metaStorage(key, dtype, byteLength)
      return new LazyStorage(key, dtype, byteLength, device, () => {
        const bytes = byteLength === 0 ? new Uint8Array(0) : source.view(offsets.get(key)!, byteLength)
        return swap ? swapBytes(bytes, dtype) : tensorBytes(bytes, source.exclusive)
      })
    },
  })
  const value = reader.next('the object', table)
  locateStorages(source, reader.next('the storage keys'), reader.position, table, offsets, swap)
  return value
}

/** Fills `offsets` by walking over the storages behind the pickles, which lie in the order of `keys`. */
function locateStorages(
  source: ByteSource,
  keys: PickleValue,
  start: number,
  table: StorageTable,
  offsets: Map<string, number>,
  swap: boolean,
): void {
  if (keys.kind !== 'list') throw new ArchiveError(`Expected a list of storage keys but received ${describeValue(keys)}`)
  const storages = table.storages()
  let at = start
  for (const key of keys.items) {
    if (key.kind !== 'string') throw new ArchiveError(`Expected a string as the key of a storage but received ${describeValue(key)}`)
    const storage = storages.get(key.value)
    if (storage === undefined) throw new ArchiveError(`The file has data for storage ${key.value}, which no tensor uses`)
    if (offsets.has(key.value)) throw new ArchiveError(`The file has data for storage ${key.value} twice`)
    const header = source.read(at, 8)
    const count = swap ? Buffer.from(header).readBigInt64BE() : Buffer.from(header).readBigInt64LE()
    if (count * BigInt(dtypeSize(storage.dtype)) !== BigInt(storage.byteLength)) {
      throw new ArchiveError(`Storage ${key.value} declares ${storage.byteLength} bytes and its data ${count} elements of ${storage.dtype}`)
    }
    at += 8
    if (at + storage.byteLength > source.size) {
      const left = source.size - at
      throw new ArchiveError(`The file is truncated: storage ${key.value} needs ${storage.byteLength} bytes and ${left} are left`)
    }
    offsets.set(key.value, at)
    at += storage.byteLength
  }
  for (const [key, storage] of storages) {
    if (!offsets.has(key) && storage.byteLength > 0 && storage.location !== 'meta') {
      throw new ArchiveError(`The file has no data for storage ${key}`)
    }
  }
}

/** Reads pickles that follow each other, without knowing where one ends. */
class PickleSequence {
  readonly #source: ByteSource
  position = 0

  constructor(source: ByteSource) {
    this.#source = source
  }

  next(member: string, table?: StorageTable): PickleValue {
    const rest = this.#source.size - this.position
    for (let window = firstWindow; ; window *= 8) {
      const length = Math.min(window, rest)
      const options: UnpickleOptions = { member, scriptClasses: false, isPrefix: length < rest, loadStorage: table?.load.bind(table) }
      try {
        const { value, end } = unpickle(this.#source.view(this.position, length), options)
        this.position += end
        return value
      } catch (error) {
        if (!(error instanceof NeedMoreBytes)) throw error
      }
    }
  }
}
