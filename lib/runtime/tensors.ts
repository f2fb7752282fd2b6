import type { QuantizationData, StorageData, TensorData } from '../archive/values.js'
import type { ConstantValue } from '../ir/types.js'
import type { QuantInfo, StorageHandle, TensorHandle } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { deviceIndex } from '../tensor/device.js'
import { dtypeCode } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { readElement, arrayTypeOf } from '../tensor/typed-array.js'
import { UnsupportedError } from '../util/errors.js'
import { liveTensorOf } from './live-tensors.js'
import { derivedStorageOf } from './snapshot.js'

/** The number in a 0-dim tensor of an archive, for passes. */
export function scalarOf(tensor: TensorData): ConstantValue | undefined {
  if (tensor.shape.length !== 0 || tensor.sparse !== undefined || tensor.quant !== undefined || tensor.storage.location === 'meta')
    return undefined
  if (tensor.conj || tensor.neg) return undefined
  const bytes = tensor.storage.bytes()
  const ArrayType = arrayTypeOf(tensor.dtype)
  const array = new ArrayType(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.floor(bytes.byteLength / ArrayType.BYTES_PER_ELEMENT))
  const value = readElement(tensor.dtype, array, tensor.offset)
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (typeof value === 'object') return { kind: 'complex', re: value.re, im: value.im }
  const isFloat = tensor.dtype.startsWith('float') || tensor.dtype === 'bfloat16'
  return isFloat ? { kind: 'float', value: Number(value) } : { kind: 'int', value: BigInt(value) }
}

/** Numbers of a small 1-d tensor: the scales or zero points of quantized channels. */
function numbersOf(tensor: TensorData): number[] {
  const bytes = tensor.storage.bytes()
  const ArrayType = arrayTypeOf(tensor.dtype)
  const array = new ArrayType(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.floor(bytes.byteLength / ArrayType.BYTES_PER_ELEMENT))
  return Array.from({ length: tensor.shape[0] ?? 1 }, (_, i) =>
    Number(readElement(tensor.dtype, array, tensor.offset + i * (tensor.strides[0] ?? 1))),
  )
}

/** Fails for tensors that the executor has no form for. */
export function checkTensor({ sparse, conj, neg, storage }: TensorData): void {
  if (sparse !== undefined) throw new UnsupportedError(`Sparse tensors (${sparse.layout}) are not supported.`)
  if (conj || neg) throw new UnsupportedError('Tensors saved with a pending conjugation or negation are not supported.')
  if (storage.location === 'meta') throw new UnsupportedError('Tensors on the meta device have no data and are not supported.')
}

export function quantInfo(quant: QuantizationData): QuantInfo {
  if (quant.scheme === 'per_tensor_affine') return { scheme: 0, scale: quant.scale, zeroPoint: quant.zeroPoint }
  return {
    scheme: quant.scheme === 'per_channel_affine' ? 1 : 4,
    scale: Float64Array.from(numbersOf(quant.scales)),
    zeroPoint: Float64Array.from(numbersOf(quant.zeroPoints)),
    axis: quant.axis,
  }
}

/** Makes tensors of the addon from tensors of an archive; storages that the archive shares stay shared. */
export class TensorImporter {
  readonly #storages = new Map<StorageData, StorageHandle>()
  readonly #tensors = new Map<TensorData, TensorHandle>()

  /** With `placed`, storages go to the devices that the archive names; programs are moved as a whole instead. */
  constructor(
    private readonly isWeight = true,
    private readonly placed = false,
  ) {}

  import(tensor: TensorData): TensorHandle {
    const live = liveTensorOf(tensor)
    if (live !== undefined) return Tensor.handleOf(live)
    let handle = this.#tensors.get(tensor)
    if (handle === undefined) this.#tensors.set(tensor, (handle = callNative(() => this.#make(tensor))))
    return handle
  }

  /** Lets go of everything imported; tensors that others hold live on. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose()
    for (const storage of this.#storages.values()) storage.dispose()
  }

  #make(tensor: TensorData): TensorHandle {
    checkTensor(tensor)
    const handle = nativeBinding().tensorOnStorage(
      this.#storage(tensor.storage),
      dtypeCode(tensor.dtype),
      tensor.shape,
      tensor.strides,
      tensor.offset,
      tensor.quant && quantInfo(tensor.quant),
    )
    if (tensor.requiresGrad) handle.setRequiresGrad(true)
    return handle
  }

  #storage(storage: StorageData): StorageHandle {
    let handle = this.#storages.get(storage)
    if (handle === undefined) {
      handle = derivedStorageOf(storage)
      if (handle === undefined) {
        const bytes = storage.bytes()
        handle = nativeBinding().storageFromBuffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength, this.isWeight)
      }
      if (this.placed && storage.location.startsWith('cuda')) handle.moveTo(deviceIndex(storage.location))
      this.#storages.set(storage, handle)
    }
    return handle
  }
}
