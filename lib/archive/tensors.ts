import { type DType, dtypeFromStorageName, dtypeSize } from '../tensor/dtype.js'
import type { Fail, StackValue } from './pickle.js'
import { metaStorage } from './storage.js'
import { bytesOfElements, describeValue, elementsPerByte, type StorageData, type StorageValue, type TensorData } from './values.js'

/** The most dimensions a tensor may have (PyTorch's iterators have the same limit). */
const maxDimensions = 64

/** Where the bytes of storages come from. */
export interface StorageProvider {
  /** Whether bytes are reversed on reading, number by number; that needs the one element type of each storage. */
  readonly swap?: boolean
  /** Makes the storage of `key`, or fails if the file holds less than `byteLength` bytes for it. `location` is as saved. */
  create(key: string, dtype: DType, byteLength: number, location: string, fail: Fail): StorageData
}

/** Turns persistent ids into storages, one storage for a key. */
export class StorageTable {
  readonly #provider: StorageProvider
  readonly #storages = new Map<string, StorageData>()

  constructor(provider: StorageProvider) {
    this.#provider = provider
  }

  /** All storages met so far, in the order of their first use. */
  storages(): ReadonlyMap<string, StorageData> {
    return this.#storages
  }

  /** `('storage', <class>, key, location, numel)`, with a sixth item in the legacy format. */
  load(id: StackValue, fail: Fail): StorageValue {
    if (id.kind !== 'tuple' || id.items.length < 5 || id.items.length > 6) {
      throw fail(`Expected a tuple of 5 for a persistent id but received ${describeItem(id)}`)
    }
    const [tag, type, key, location, count] = id.items as StackValue[]
    if (tag.kind !== 'string' || tag.value !== 'storage') {
      throw fail(`Expected 'storage' as the kind of a persistent id but received ${describeItem(tag)}`)
    }
    if (type.kind !== 'global' || type.storage === undefined) {
      throw fail(`Expected a storage class in a persistent id but received ${describeItem(type)}`)
    }
    if (key.kind !== 'string') throw fail(`Expected a string as the key of a storage but received ${describeItem(key)}`)
    if (location.kind !== 'string') {
      throw fail(`Expected a string as the location of storage ${key.value} but received ${describeItem(location)}`)
    }
    const dtype = type.storage
    const numel = toCount(count, `the size of storage ${key.value}`, fail)
    const byteLength = numel * dtypeSize(dtype)
    if (!Number.isSafeInteger(byteLength)) throw fail(`Storage ${key.value} declares ${numel} elements, which is too many`)
    const view = id.items.length === 6 ? (id.items[5] as StackValue) : undefined
    if (view !== undefined && view.kind !== 'none') return this.#loadView(key.value, view, dtype, location.value, byteLength, fail)
    const known = this.#storages.get(key.value)
    if (this.#provider.swap && (type.name.endsWith('.UntypedStorage') || (known !== undefined && known.dtype !== dtype))) {
      throw fail(`Storage ${key.value} has no single element type, which a big-endian file needs`)
    }
    if (known === undefined) {
      const storage = this.#provider.create(key.value, dtype, byteLength, location.value, fail)
      this.#storages.set(key.value, storage)
      return { kind: 'storage', storage, dtype }
    }
    if (known.byteLength < byteLength) throw fail(`Storage ${key.value} is declared with ${known.byteLength} bytes and with ${byteLength}`)
    return { kind: 'storage', storage: known, dtype }
  }

  /** Legacy files may name a part of another storage: (key of the part, offset, size), in elements. */
  #loadView(rootKey: string, view: StackValue, dtype: DType, location: string, rootBytes: number, fail: Fail): StorageValue {
    if (view.kind !== 'tuple' || view.items.length !== 3 || view.items[0].kind !== 'string') {
      throw fail(`Expected (key, offset, size) for a view of storage ${rootKey} but received ${describeItem(view)}`)
    }
    const key = view.items[0].value
    const start = toCount(view.items[1], `the offset of storage ${key}`, fail) * dtypeSize(dtype)
    const byteLength = toCount(view.items[2], `the size of storage ${key}`, fail) * dtypeSize(dtype)
    let root = this.#storages.get(rootKey)
    if (root === undefined) {
      root = this.#provider.create(rootKey, dtype, rootBytes, location, fail)
      this.#storages.set(rootKey, root)
    }
    if (start + byteLength > root.byteLength) throw fail(`Storage ${key} reaches past the end of storage ${rootKey}`)
    const whole = root
    const bytes = (): Uint8Array => whole.bytes().subarray(start, start + byteLength)
    return { kind: 'storage', dtype, storage: { key, dtype, byteLength, location: root.location, bytes } }
  }
}

/** The storage dtype that a GLOBAL names, such as `torch FloatStorage`; `uint8` for untyped storages. */
export function storageDType(module: string, name: string): DType | undefined {
  if (name === 'UntypedStorage' && (module === 'torch' || module === 'torch.storage')) return 'uint8'
  return module === 'torch' || module === 'torch.cuda' ? dtypeFromStorageName(name) : undefined
}

export const describeItem = (value: StackValue): string => (value.kind === 'global' ? `the class ${value.name}` : describeValue(value))

/** An int of the pickle that counts or numbers something: not negative, and exact as a number. */
export function toCount(value: StackValue, what: string, fail: Fail): number {
  if (value.kind !== 'int') throw fail(`Expected an int for ${what} but received ${describeItem(value)}`)
  if (value.value < 0n || value.value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw fail(`Expected a non-negative int for ${what} but received ${value.value}`)
  }
  return Number(value.value)
}

export function toCounts(value: StackValue, what: string, fail: Fail): number[] {
  if (value.kind !== 'tuple' && value.kind !== 'list') {
    throw fail(`Expected a tuple of ints for ${what} but received ${describeItem(value)}`)
  }
  if (value.items.length > maxDimensions) {
    throw fail(`Expected at most ${maxDimensions} dimensions for ${what} but received ${value.items.length}`)
  }
  return value.items.map((item) => toCount(item, what, fail))
}

/** A tensor over a storage, after checking that no element lies outside of it. */
export function makeTensor(
  storage: StorageValue,
  dtype: DType,
  offset: StackValue,
  size: StackValue,
  stride: StackValue,
  requiresGrad: StackValue,
  fail: Fail,
): TensorData {
  const tensor: TensorData = {
    dtype,
    shape: toCounts(size, 'the size of a tensor', fail),
    strides: toCounts(stride, 'the strides of a tensor', fail),
    offset: toCount(offset, 'the offset of a tensor', fail),
    storage: storage.storage,
    requiresGrad: toBool(requiresGrad, 'requires_grad', fail),
  }
  checkExtent(tensor, fail)
  return tensor
}

/** A tensor on the meta device, with a storage of just the size it needs. */
export function makeMetaTensor(dtype: DType, size: StackValue, stride: StackValue, requiresGrad: StackValue, fail: Fail): TensorData {
  const unlimited: StorageValue = { kind: 'storage', dtype, storage: metaStorage('meta', dtype, Number.MAX_SAFE_INTEGER) }
  const tensor = makeTensor(unlimited, dtype, { kind: 'int', value: 0n }, size, stride, requiresGrad, fail)
  return { ...tensor, storage: metaStorage('meta', dtype, bytesOfElements(dtype, reachOf(tensor))) }
}

/** One past the furthest element that a tensor reaches in its storage. */
const reachOf = ({ shape, strides, offset }: TensorData): number =>
  shape.includes(0) ? 0 : shape.reduce((reach, n, i) => reach + (n - 1) * strides[i], offset) + 1

function checkExtent(tensor: TensorData, fail: Fail): void {
  const { dtype, shape, strides, offset, storage } = tensor
  const text = (): string => `size [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset}`
  if (shape.length !== strides.length) throw fail(`A tensor has ${shape.length} sizes and ${strides.length} strides`)
  const bytes = shape.reduce((product, n) => product * n, 1) * dtypeSize(dtype)
  if (!shape.includes(0) && !Number.isSafeInteger(bytes)) throw fail(`A tensor of ${text()} is too large`)
  const end = reachOf(tensor)
  if (!Number.isSafeInteger(end) || bytesOfElements(dtype, end) > storage.byteLength) {
    const capacity = Math.floor(storage.byteLength / dtypeSize(dtype)) * elementsPerByte(dtype)
    throw fail(`A tensor of ${text()} reaches past the ${capacity} elements of storage ${storage.key}`)
  }
}

export function toBool(value: StackValue, what: string, fail: Fail): boolean {
  if (value.kind !== 'bool') throw fail(`Expected a bool for ${what} but received ${describeItem(value)}`)
  return value.value
}

export function toTensor(value: StackValue | undefined, what: string, fail: Fail): TensorData {
  if (value === undefined || value.kind !== 'tensor') {
    throw fail(`Expected a tensor for ${what} but received ${value === undefined ? 'nothing' : describeItem(value)}`)
  }
  return value.tensor
}
