import type { QuantizationData, StorageData, TensorData } from '../archive/values.js'
import type { QuantInfo } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { tensor } from '../tensor/creation.js'
import { Tensor } from '../tensor/tensor.js'

/*
 * Tensors of the executor as the archive room describes tensors, so that object trees of modules that live in memory look like those of
 * files. A program made from such a tree works on the very tensors: an update in place is seen by both sides.
 */

const tensorOf = new WeakMap<TensorData, Tensor>()
const dataOf = new WeakMap<Tensor, TensorData>()
/** Storages by the memory they are in and where: tensors that share memory share it in a file too. */
const storages = new WeakMap<ArrayBuffer, Map<string, StorageData>>()
let nextKey = 0

/** The description of a tensor; the same object at each call. The tensor stays alive as long as the description does. */
export function liveTensor(tensor: Tensor): TensorData {
  let data = dataOf.get(tensor)
  if (data === undefined) {
    data = describe(tensor)
    dataOf.set(tensor, data)
    tensorOf.set(data, tensor)
  }
  return data
}

/** The tensor that a description stands for; undefined for tensors of files. */
export const liveTensorOf = (data: TensorData): Tensor | undefined => tensorOf.get(data)

function storageOf(tensor: Tensor, bytes: number): StorageData {
  const handle = Tensor.handleOf(tensor)
  const buffer = callNative(() => handle.data(true))
  const { dataOffset } = handle
  let inBuffer = storages.get(buffer)
  if (inBuffer === undefined) storages.set(buffer, (inBuffer = new Map()))
  const place = `${dataOffset}+${bytes}`
  let storage = inBuffer.get(place)
  if (storage === undefined) {
    const view = new Uint8Array(buffer, dataOffset, bytes)
    storage = { key: `live${nextKey++}`, dtype: tensor.dtype, byteLength: bytes, location: 'cpu', bytes: () => view }
    inBuffer.set(place, storage)
  }
  return storage
}

function describe(tensor: Tensor): TensorData {
  const info = callNative(() => Tensor.handleOf(tensor).info())
  return {
    dtype: tensor.dtype,
    shape: info.sizes,
    strides: info.strides,
    offset: info.offset,
    storage: storageOf(tensor, info.storageBytes),
    requiresGrad: info.requiresGrad,
    quant: info.quant === null ? undefined : quantization(info.quant),
  }
}

function quantization(quant: QuantInfo): QuantizationData {
  const { scheme, scale, zeroPoint } = quant
  if (scheme === 0) return { scheme: 'per_tensor_affine', scale: scale as number, zeroPoint: zeroPoint as number }
  const isAffine = scheme === 1
  const zeroPoints = [...(zeroPoint as Iterable<number>)]
  return {
    scheme: isAffine ? 'per_channel_affine' : 'per_channel_affine_float_qparams',
    scales: liveTensor(tensor(Float64Array.from(scale as Iterable<number>))),
    zeroPoints: liveTensor(isAffine ? tensor(zeroPoints.map(BigInt)) : tensor(Float64Array.from(zeroPoints))),
    axis: quant.axis ?? 0,
  }
}
