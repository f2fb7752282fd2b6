import type { DType } from '../tensor/dtype.js'
import { ArchiveError, ArgumentError } from '../util/errors.js'
import type { Fail } from './pickle.js'
import { unpickle } from './pickle.js'
import { type DeviceProbe, LazyStorage, metaStorage, resolveLocation, swapBytes, tensorBytes } from './storage.js'
import { type StorageProvider, StorageTable } from './tensors.js'
import type { PickleValue, StorageData } from './values.js'
import type { ZipArchive } from './zip.js'

/** Options of both loaders. */
export interface LoadOptions {
  /** Device that every storage goes to, such as `cpu`. Without it, storages go where they were saved. */
  mapLocation?: string
  /** Says whether this machine can hold storages of a device. Default: only `cpu` (and `meta`). */
  hasDevice?: DeviceProbe
}

/** A pickle is text-sized even for models of gigabytes; this bounds what is inflated and parsed. */
const maxPickleBytes = 2 ** 29

/** Checks `mapLocation` as a caller gave it. */
export function checkLoadOptions(options: LoadOptions): void {
  const { mapLocation } = options
  if (mapLocation !== undefined && (typeof mapLocation !== 'string' || !/^[a-z]+(:\d+)?$/.test(mapLocation))) {
    const received = JSON.stringify(mapLocation) ?? String(mapLocation)
    throw new ArgumentError(`Expected a device such as 'cpu' or 'cuda:0' for \`mapLocation\` but received ${received}`)
  }
}

/** Storages that are members `<prefix><key>` of a zip archive. */
class RecordStorages implements StorageProvider {
  readonly #zip: ZipArchive
  readonly #prefix: string
  readonly swap: boolean
  readonly #options: LoadOptions

  constructor(zip: ZipArchive, prefix: string, swap: boolean, options: LoadOptions) {
    this.#zip = zip
    this.#prefix = prefix
    this.swap = swap
    this.#options = options
  }

  create(key: string, dtype: DType, byteLength: number, location: string, fail: Fail): StorageData {
    const device = resolveLocation(location, this.#options.mapLocation, this.#options.hasDevice)
    if (device === 'meta') return metaStorage(key, dtype, byteLength)
    if (byteLength === 0) return new LazyStorage(key, dtype, 0, device, () => new Uint8Array(0))
    const zip = this.#zip
    const name = this.#prefix + key
    if (!zip.has(name)) throw fail(`storage ${key} needs the member ${name}, which is missing`)
    const size = zip.size(name)
    if (size < byteLength) throw fail(`storage ${key} declares ${byteLength} bytes and the member ${name} has ${size}`)
    return new LazyStorage(key, dtype, byteLength, device, () => {
      const bytes = zip.bytes(name).subarray(0, byteLength)
      return this.swap ? swapBytes(bytes, dtype) : tensorBytes(bytes, zip.source.exclusive || !zip.isStored(name))
    })
  }
}

/** Unpickles the member `name` of a zip archive, with its storages in the folder `prefix`. */
export function unpickleMember(
  zip: ZipArchive,
  name: string,
  prefix: string | undefined,
  scriptClasses: boolean,
  options: LoadOptions,
): PickleValue {
  const table = prefix === undefined ? undefined : new StorageTable(new RecordStorages(zip, prefix, isBigEndian(zip), options))
  return unpickle(pickleBytes(zip, name), { member: name, scriptClasses, loadStorage: table?.load.bind(table) }).value
}

/** Unpickles a member whose storages have no data: example inputs of a trace. */
export function unpickleShapes(zip: ZipArchive, name: string): PickleValue {
  const table = new StorageTable({ create: metaStorage })
  return unpickle(pickleBytes(zip, name), { member: name, scriptClasses: true, loadStorage: table.load.bind(table) }).value
}

function pickleBytes(zip: ZipArchive, name: string): Uint8Array {
  const size = zip.size(name)
  if (size > maxPickleBytes) throw new ArchiveError(`Expected a pickle of at most ${maxPickleBytes} bytes but received ${size}`, name)
  return zip.bytes(name)
}

function isBigEndian(zip: ZipArchive): boolean {
  return zip.has('byteorder') && zip.size('byteorder') < 64 && Buffer.from(zip.bytes('byteorder')).toString('latin1').trim() === 'big'
}
