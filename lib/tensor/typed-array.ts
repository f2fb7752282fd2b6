import type { DType } from './dtype.js'
import { bfloat16ToNumber, float16ToNumber, float8ToNumber, isFloat8, numberToBfloat16, numberToFloat16 } from './half.js'
import { ArgumentError } from '../util/errors.js'

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

type TypedArrayConstructor = {
  new (length: number): TypedArray
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray
  readonly BYTES_PER_ELEMENT: number
}

interface Layout {
  readonly array: TypedArrayConstructor
  /** Array items of one element: 2 for complex numbers, which are pairs (real, imaginary). */
  readonly items: number
}

const layout = (array: unknown, items = 1): Layout => ({ array: array as TypedArrayConstructor, items })

/** How JavaScript sees the memory of each dtype. */
const layouts: Record<DType, Layout> = {
  uint8: layout(Uint8Array),
  int8: layout(Int8Array),
  int16: layout(Int16Array),
  int32: layout(Int32Array),
  int64: layout(BigInt64Array),
  float16: layout(Uint16Array),
  float32: layout(Float32Array),
  float64: layout(Float64Array),
  complex32: layout(Uint16Array, 2),
  complex64: layout(Float32Array, 2),
  complex128: layout(Float64Array, 2),
  bool: layout(Uint8Array),
  qint8: layout(Int8Array),
  quint8: layout(Uint8Array),
  qint32: layout(Int32Array),
  bfloat16: layout(Uint16Array),
  quint4x2: layout(Uint8Array),
  quint2x4: layout(Uint8Array),
  float8_e5m2: layout(Uint8Array),
  float8_e4m3fn: layout(Uint8Array),
  float8_e5m2fnuz: layout(Uint8Array),
  float8_e4m3fnuz: layout(Uint8Array),
  uint16: layout(Uint16Array),
  uint32: layout(Uint32Array),
  uint64: layout(BigUint64Array),
  float8_e8m0fnu: layout(Uint8Array),
}

/** Array items of one element: 2 for complex dtypes. */
export const itemsPerElement = (dtype: DType): number => layouts[dtype].items

/** The typed array that holds elements of a dtype. float16, bfloat16 and float8 are their bits. */
export const arrayTypeOf = (dtype: DType): TypedArrayConstructor => layouts[dtype].array

/** The dtype that a typed array stands for when none is given. */
export function dtypeOfArray(data: TypedArray | Uint8ClampedArray): DType {
  const name = data[Symbol.toStringTag]
  switch (name) {
    case 'Uint8Array':
    case 'Uint8ClampedArray':
      return 'uint8'
    case 'Int8Array':
      return 'int8'
    case 'Uint16Array':
      return 'uint16'
    case 'Int16Array':
      return 'int16'
    case 'Uint32Array':
      return 'uint32'
    case 'Int32Array':
      return 'int32'
    case 'BigInt64Array':
      return 'int64'
    case 'BigUint64Array':
      return 'uint64'
    case 'Float32Array':
      return 'float32'
    case 'Float64Array':
      return 'float64'
    default:
      throw new ArgumentError(`Expected a typed array for \`data\` but received ${String(name)}`)
  }
}

/** A complex number. */
export interface Complex {
  readonly re: number
  readonly im: number
}

/** One element as JavaScript has it. */
export type Element = number | bigint | boolean | Complex

const safe = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value

/** Reads element `index`. 64-bit integers are numbers where that is exact. */
export function readElement(dtype: DType, data: TypedArray, index: number): Element {
  switch (dtype) {
    case 'bool':
      return data[index] !== 0
    case 'int64':
    case 'uint64':
      return safe(data[index] as bigint)
    case 'float16':
      return float16ToNumber(data[index] as number)
    case 'bfloat16':
      return bfloat16ToNumber(data[index] as number)
    case 'complex32':
      return { re: float16ToNumber(data[2 * index] as number), im: float16ToNumber(data[2 * index + 1] as number) }
    case 'complex64':
    case 'complex128':
      return { re: data[2 * index] as number, im: data[2 * index + 1] as number }
    case 'float8_e8m0fnu':
      return data[index] === 255 ? NaN : 2 ** ((data[index] as number) - 127)
    default:
      return isFloat8(dtype) ? float8ToNumber(dtype, data[index] as number) : (data[index] as number)
  }
}

/** Writes element `index` as PyTorch converts numbers: integers wrap, fractions are cut, anything but zero is true. */
export function writeElement(dtype: DType, data: TypedArray, index: number, value: Element): void {
  if (typeof value === 'object') {
    const size = itemsPerElement(dtype)
    if (size !== 2) throw new ArgumentError(`Expected real numbers for a tensor of ${dtype} but received a complex number`)
    writeElement(dtype === 'complex32' ? 'float16' : 'float64', data, 2 * index, value.re)
    writeElement(dtype === 'complex32' ? 'float16' : 'float64', data, 2 * index + 1, value.im)
    return
  }
  switch (dtype) {
    case 'bool':
      data[index] = value === 0 || value === 0n || value === false ? 0 : 1
      return
    case 'int64':
    case 'uint64':
      data[index] = toBigInt(value)
      return
    case 'float16':
      data[index] = numberToFloat16(Number(value))
      return
    case 'bfloat16':
      data[index] = numberToBfloat16(Number(value))
      return
    case 'complex32':
      data[2 * index] = numberToFloat16(Number(value))
      return
    case 'complex64':
    case 'complex128':
      data[2 * index] = Number(value)
      return
    case 'float32':
    case 'float64':
      data[index] = Number(value)
      return
    default:
      if (dtype.startsWith('float8') || dtype.startsWith('quint') || dtype.startsWith('qint')) {
        throw new ArgumentError(`Expected a dtype that numbers convert to but received ${dtype}; give the bits as a Uint8Array`)
      }
      data[index] = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : Number(value)
  }
}

function toBigInt(value: number | bigint | boolean): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (!Number.isInteger(value)) throw new ArgumentError(`Expected integers for an int64 tensor but received ${value}`)
  return BigInt(Math.trunc(value))
}
