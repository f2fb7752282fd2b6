import { type DType, dtypeSize } from '../tensor/dtype.js'
import { ArchiveError } from '../util/errors.js'
import type { StorageData } from './values.js'

/** A storage whose bytes are fetched when they are asked for the first time. */
export class LazyStorage implements StorageData {
  readonly key: string
  readonly dtype: DType
  readonly byteLength: number
  readonly location: string
  #fetch: (() => Uint8Array) | undefined
  #bytes: Uint8Array | undefined

  constructor(key: string, dtype: DType, byteLength: number, location: string, fetch: () => Uint8Array) {
    this.key = key
    this.dtype = dtype
    this.byteLength = byteLength
    this.location = location
    this.#fetch = fetch
  }

  bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      const bytes = this.#fetch!()
      if (bytes.length !== this.byteLength) {
        throw new ArchiveError(`Storage ${this.key} has ${bytes.length} bytes and declares ${this.byteLength}`)
      }
      this.#bytes = bytes
      this.#fetch = undefined
    }
    return this.#bytes
  }
}

/** A storage without memory: meta tensors, the empty storage of sparse tensors, traced example inputs. */
export function metaStorage(key: string, dtype: DType, byteLength: number): StorageData {
  return {
    key,
    dtype,
    byteLength,
    location: 'meta',
    bytes(): Uint8Array {
      throw new ArchiveError(`Storage ${key} is on the meta device and has no data`)
    },
  }
}

/** Bytes that tensors of any dtype may read and write: a copy where the memory is somebody else's or badly aligned. */
export function tensorBytes(bytes: Uint8Array, exclusive: boolean): Uint8Array {
  if (exclusive && bytes.byteOffset % 8 === 0) return bytes
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** Size of what a machine of the other byte order stores reversed: the halves of a complex number, one by one. */
const swapUnit = (dtype: DType): number => (dtype.startsWith('complex') ? dtypeSize(dtype) / 2 : dtypeSize(dtype))

/** A copy with the bytes of each number reversed. */
export function swapBytes(bytes: Uint8Array, dtype: DType): Uint8Array {
  const unit = swapUnit(dtype)
  const copy = Buffer.from(bytes)
  if (unit === 2) copy.swap16()
  else if (unit === 4) copy.swap32()
  else if (unit === 8) copy.swap64()
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength)
}

/** Says whether this machine can hold storages of a device such as `cuda:0`. */
export type DeviceProbe = (device: string) => boolean

const cpuOnly: DeviceProbe = (device) => device === 'cpu' || device === 'meta'

/** Where a storage goes that was saved on `location`. */
export function resolveLocation(location: string, mapLocation: string | undefined, hasDevice: DeviceProbe = cpuOnly): string {
  if (location === 'meta') return location
  const device = mapLocation ?? location
  if (!hasDevice(device)) {
    throw new ArchiveError(
      mapLocation === undefined
        ? `The file holds tensors saved on ${location}, which this machine does not have. Load it with mapLocation: 'cpu'`
        : `Expected a device of this machine for \`mapLocation\` but received '${mapLocation}'`,
    )
  }
  return device
}
