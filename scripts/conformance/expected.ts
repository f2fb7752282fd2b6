import type { PickleValue, TensorData } from '../../lib/archive/values.js'
import { dictGet, elementCount } from '../../lib/archive/values.js'
import { type DType, dtypeCode } from '../../lib/tensor/dtype.js'
import { arrayTypeOf, type Element, readElement } from '../../lib/tensor/typed-array.js'
import { TensorImporter } from '../../lib/runtime/tensors.js'
import { Tensor } from '../../lib/tensor/tensor.js'

/** Elements of a tensor of an archive in row-major order. */
export function elementsOf(tensor: TensorData): Element[] {
  const bytes = tensor.storage.bytes()
  const ArrayType = arrayTypeOf(tensor.dtype)
  const array = new ArrayType(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.floor(bytes.byteLength / ArrayType.BYTES_PER_ELEMENT))
  const { shape, strides } = tensor
  const out: Element[] = new Array<Element>(elementCount(shape))
  let at = 0
  const visit = (dim: number, offset: number): void => {
    if (dim === shape.length) {
      out[at++] = readElement(tensor.dtype, array, offset)
      return
    }
    for (let i = 0; i < shape[dim]; i++) visit(dim + 1, offset + i * strides[dim])
  }
  visit(0, tensor.offset)
  return out
}

export const field = (io: PickleValue, key: string): PickleValue | undefined => {
  const value = dictGet(io, key)
  return value?.kind === 'none' ? undefined : value
}

/** `{'__complex__': [re, im]}` and the like: the key and the value. */
export function special(value: PickleValue): { key: string; value: PickleValue } | undefined {
  if (value.kind !== 'dict' || value.entries.length !== 1) return undefined
  const [[key, inner]] = value.entries
  return key.kind === 'string' && /^__\w+__$/.test(key.value) ? { key: key.value, value: inner } : undefined
}

export const numberOf = (value: PickleValue): number => (value.kind === 'int' || value.kind === 'float' ? Number(value.value) : NaN)

/** An input as a caller would pass it. Tensors are copies: the file stays as it is. */
export function toArgument(value: PickleValue): unknown {
  switch (value.kind) {
    case 'none':
      return null
    case 'bool':
    case 'float':
      return value.value
    case 'int':
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value
    case 'string':
      return value.value
    case 'device':
      return value.value
    case 'dtype':
      return dtypeCode(value.value)
    case 'complex':
      return { re: value.re, im: value.im }
    case 'tensor':
      return argumentTensor(value.tensor)
    case 'list':
    case 'tuple':
      return value.items.map(toArgument)
    case 'dict': {
      const inner = special(value)
      if (inner?.key === '__complex__' && (inner.value.kind === 'list' || inner.value.kind === 'tuple')) {
        return { re: numberOf(inner.value.items[0]), im: numberOf(inner.value.items[1]) }
      }
      if (inner?.key === '__dtype__' && inner.value.kind === 'string') return dtypeCode(inner.value.value as DType)
      if (inner?.key === '__device__' && inner.value.kind === 'string') return inner.value.value
      return new Map(value.entries.map(([k, v]) => [toArgument(k), toArgument(v)]))
    }
    default:
      throw new Error(`An input is a ${value.kind}`)
  }
}

/** The tensor with its strides, on memory of its own. */
function argumentTensor(tensor: TensorData): Tensor {
  const copy = Uint8Array.from(tensor.storage.bytes())
  const storage = {
    ...tensor.storage,
    key: tensor.storage.key,
    dtype: tensor.storage.dtype,
    byteLength: copy.length,
    location: 'cpu',
    bytes: () => copy,
  }
  return Tensor.fromHandle(new TensorImporter(false).import({ ...tensor, storage }))
}
