import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { ArgumentError } from '../util/errors.js'
import { deviceIndex, deviceName } from './device.js'
import { type DType, dtypeCode, dtypeNames, dtypeSize } from './dtype.js'
import { Tensor } from './tensor.js'
import {
  arrayTypeOf,
  type Complex,
  dtypeOfArray,
  type Element,
  itemsPerElement,
  readElement,
  type TypedArray,
  writeElement,
} from './typed-array.js'

export type TensorData = Element | TypedArray | Uint8ClampedArray | readonly TensorData[]

export interface TensorOptions {
  /** Default: float32 for numbers, int64 for bigints, bool for booleans; a typed array's own. */
  dtype?: DType
  /** Default: the nesting of the arrays; a typed array is one-dimensional. */
  shape?: readonly number[]
  requiresGrad?: boolean
  /** Default: `cpu`. */
  device?: string
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

function checkShape(shape: readonly number[]): void {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new ArgumentError(`Expected an array of non-negative integers for \`shape\` but received ${JSON.stringify(shape)}`)
  }
}

function checkDType(dtype: DType): void {
  if (!dtypeNames.includes(dtype))
    throw new ArgumentError(`Expected a dtype such as 'float32' for \`dtype\` but received ${JSON.stringify(dtype)}`)
}

/** The tensor on a device: itself, or a copy. */
export function onDevice(tensor: Tensor, device: string): Tensor {
  const index = deviceIndex(device)
  if (tensor.device === deviceName(index)) return tensor
  const handle = Tensor.handleOf(tensor)
  return Tensor.fromHandle(callNative(() => handle.copyTo(index)))
}

const isTypedArray = (data: unknown): data is TypedArray | Uint8ClampedArray => ArrayBuffer.isView(data) && !(data instanceof DataView)

/** A tensor from a number, nested arrays, or a typed array, whose memory it shares where the dtype allows. */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  if (options.dtype !== undefined) checkDType(options.dtype)
  if (options.shape !== undefined) checkShape(options.shape)
  const made = isTypedArray(data) ? fromTypedArray(data, options) : fromNested(data, options)
  const placed = options.device === undefined ? made : onDevice(made, options.device)
  if (options.requiresGrad) Tensor.handleOf(placed).setRequiresGrad(true)
  return placed
}

/** dtypes whose bits a typed array can be, besides the dtype it stands for itself. */
const sameBits: Partial<Record<DType, readonly DType[]>> = {
  uint8: ['bool', 'quint8', 'float8_e5m2', 'float8_e4m3fn', 'float8_e5m2fnuz', 'float8_e4m3fnuz', 'float8_e8m0fnu'],
  uint16: ['float16', 'bfloat16', 'complex32'],
  float32: ['complex64'],
  float64: ['complex128'],
}

function fromTypedArray(data: TypedArray | Uint8ClampedArray, options: TensorOptions): Tensor {
  const own = dtypeOfArray(data)
  const dtype = options.dtype ?? own
  const isShared = dtype === own || sameBits[own]?.includes(dtype) === true
  const length = isShared ? data.length / itemsPerElement(dtype) : data.length
  const shape = options.shape ?? [length]
  if (count(shape) !== length) {
    throw new ArgumentError(`Expected ${count(shape)} elements for the shape [${shape.join(', ')}] but received ${length}`)
  }
  const { buffer, byteOffset, byteLength } = data
  if (!isShared) return filled(dtype, shape, (index) => readElement(own, data as TypedArray, index))
  const canShare = buffer instanceof ArrayBuffer && byteOffset % dtypeSize(dtype) === 0 && byteLength > 0
  if (canShare) return fromBuffer(buffer, { dtype, shape, byteOffset })
  const copy = new Uint8Array(byteLength)
  copy.set(new Uint8Array(buffer, byteOffset, byteLength))
  return byteLength === 0 ? empty(shape, { dtype }) : fromBuffer(copy.buffer, { dtype, shape })
}

/** A tensor over memory that the caller has, without a copy. */
export function fromBuffer(buffer: ArrayBuffer, options: { dtype: DType; shape: readonly number[]; byteOffset?: number }): Tensor {
  const { dtype, shape, byteOffset = 0 } = options
  checkDType(dtype)
  checkShape(shape)
  const needed = byteOffset + count(shape) * dtypeSize(dtype)
  if (!(byteOffset >= 0) || byteOffset % dtypeSize(dtype) !== 0) {
    throw new ArgumentError(`Expected a multiple of ${dtypeSize(dtype)} for \`byteOffset\` but received ${byteOffset}`)
  }
  if (needed > buffer.byteLength)
    throw new ArgumentError(`Expected at least ${needed} bytes for \`buffer\` but received ${buffer.byteLength}`)
  const made = Tensor.over(buffer, byteOffset, dtype, shape)
  return made ?? Tensor.fromHandle(callNative(() => nativeBinding().tensorFromBuffer(buffer, byteOffset, dtypeCode(dtype), shape)))
}

function shapeOf(data: TensorData): number[] {
  const shape: number[] = []
  for (let inner: TensorData | undefined = data; Array.isArray(inner); inner = inner[0] as TensorData | undefined) shape.push(inner.length)
  return shape
}

function flatten(data: TensorData, shape: readonly number[], depth: number, out: Element[]): void {
  if (depth === shape.length) {
    if (Array.isArray(data) || isTypedArray(data) || data === undefined || data === null) {
      throw new ArgumentError(
        `Expected numbers at depth ${depth} of nested arrays but received ${Array.isArray(data) ? 'an array' : typeof data}`,
      )
    }
    out.push(data as Element)
    return
  }
  if (!Array.isArray(data) || data.length !== shape[depth]) {
    const got = Array.isArray(data) ? `an array of ${data.length}` : typeof data
    throw new ArgumentError(`Expected an array of ${shape[depth]} at depth ${depth} of nested arrays but received ${got}`)
  }
  for (const item of data) flatten(item as TensorData, shape, depth + 1, out)
}

const isComplex = (value: unknown): value is Complex => typeof value === 'object' && value !== null && 're' in value && 'im' in value

function inferDType(values: readonly Element[]): DType {
  if (values.length === 0) return 'float32'
  const kinds = new Set(values.map((value) => (isComplex(value) ? 'complex' : typeof value)))
  for (const kind of kinds) {
    if (!['number', 'bigint', 'boolean', 'complex'].includes(kind))
      throw new ArgumentError(`Expected numbers, bigints or booleans for \`data\` but received ${kind}`)
  }
  if (kinds.has('complex')) return 'complex64'
  if (kinds.size > 1)
    throw new ArgumentError(`Expected values of one type for \`data\` but received ${[...kinds].sort().join(' and ')}; give a dtype`)
  return kinds.has('bigint') ? 'int64' : kinds.has('boolean') ? 'bool' : 'float32'
}

function fromNested(data: TensorData, options: TensorOptions): Tensor {
  const nesting = shapeOf(data)
  const values: Element[] = []
  flatten(data, nesting, 0, values)
  const shape = options.shape ?? nesting
  if (count(shape) !== values.length) {
    throw new ArgumentError(`Expected ${count(shape)} elements for the shape [${shape.join(', ')}] but received ${values.length}`)
  }
  return filled(options.dtype ?? inferDType(values), shape, (index) => values[index])
}

/** Memory of its own, element by element. */
function filled(dtype: DType, shape: readonly number[], valueAt: (index: number) => Element): Tensor {
  const length = count(shape)
  if (length === 0) return empty(shape, { dtype })
  const ArrayType = arrayTypeOf(dtype)
  const array = new ArrayType(length * itemsPerElement(dtype))
  for (let i = 0; i < length; i++) writeElement(dtype, array, i, valueAt(i))
  return fromBuffer(array.buffer as ArrayBuffer, { dtype, shape })
}

/** A tensor of undefined contents. */
export function empty(shape: readonly number[], options: { dtype?: DType } = {}): Tensor {
  checkShape(shape)
  const dtype = options.dtype ?? 'float32'
  checkDType(dtype)
  return Tensor.fromHandle(callNative(() => nativeBinding().emptyTensor(dtypeCode(dtype), shape)))
}

/** A complex number, as argument of a model or element of a tensor. */
export const complex = (re: number, im: number): Complex => ({ re, im })
