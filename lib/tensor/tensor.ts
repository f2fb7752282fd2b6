import { inspect } from 'node:util'
import type { QuantInfo, TensorHandle, TensorInfo } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { ArgumentError, InvariantError } from '../util/errors.js'
import { type DType, dtypeFromCode, dtypeSize } from './dtype.js'
import { tensorText } from './printing.js'
import { arrayTypeOf, type Element, itemsPerElement, readElement, type TypedArray } from './typed-array.js'

/** Nested arrays of elements; a single element for a tensor without dimensions. */
export type NestedArray = Element | NestedArray[]

/** Is told what a program learns of tensors: a tracer. */
export interface TensorObserver {
  /** The size that the program gets in place of `size`. */
  size(tensor: Tensor, dim: number, size: number): number
  /** Elements of the tensor become JavaScript values. */
  departs(tensor: Tensor, how: 'item' | 'toArray' | 'data'): void
}
let observer: TensorObserver | undefined
/** Sets the observer and gives the one before. */
export function setTensorObserver(next: TensorObserver | undefined): TensorObserver | undefined {
  const before = observer
  observer = next
  return before
}

let created: Tensor[] | undefined
/** Has every tensor that is made from now on put into `list`, and gives the list before: for scopes. */
export function collectTensors(list: Tensor[] | undefined): Tensor[] | undefined {
  const before = created
  created = list
  return before
}

let readItem: ((tensor: Tensor) => Element) | undefined
/** Sets how `item` reads numbers of the usual dtypes: by an operator, which leaves no ArrayBuffer behind for the event loop to free. */
export function setItemReader(reader: (tensor: Tensor) => Element): void {
  readItem = reader
}
const isUsual = (dtype: DType): boolean => /^(bool|u?int(8|16|32|64)|float(16|32|64)|bfloat16)$/.test(dtype) && dtype !== 'uint64'

/** A tensor in the memory of the native addon. Its memory is freed by the collector, or at once by `dispose`. */
export class Tensor {
  #handle: TensorHandle

  /** Subclasses only; `Tensor.fromHandle` makes tensors. */
  protected constructor(handle: TensorHandle) {
    this.#handle = handle
    if (created !== undefined) created.push(this)
  }

  /** Wraps a tensor of the addon. */
  static fromHandle(handle: TensorHandle): Tensor {
    return new Tensor(handle)
  }
  /** The addon's tensor behind this one. */
  static handleOf(tensor: Tensor): TensorHandle {
    return tensor.#handle
  }

  /** Lets a tensor stand for other memory; it stays the same object to all that have it. */
  static replaceHandle(tensor: Tensor, handle: TensorHandle): void {
    tensor.#handle = handle
  }

  private info(): TensorInfo {
    return callNative(() => this.#handle.info())
  }

  get shape(): number[] {
    const { sizes } = this.info()
    const observing = observer
    return observing === undefined ? sizes : sizes.map((size, dim) => observing.size(this, dim, size))
  }
  get dtype(): DType {
    const { dtype } = this.info()
    const name = dtypeFromCode(dtype)
    if (name === undefined) throw new InvariantError(`The dtype code ${dtype} has no name.`)
    return name
  }
  get device(): string {
    return 'cpu'
  }
  get requiresGrad(): boolean {
    return this.info().requiresGrad
  }
  /** How the integers of a quantized tensor stand for numbers; null for others. */
  get quantization(): QuantInfo | null {
    return this.info().quant
  }
  /** Number of dimensions. */
  dim(): number {
    return this.info().sizes.length
  }
  numel(): number {
    return this.info().sizes.reduce((product, size) => product * size, 1)
  }
  /** The size of a dimension, or all sizes. */
  size(): number[]
  size(dim: number): number
  size(dim?: number): number | number[] {
    if (dim === undefined) return this.shape
    const { sizes } = this.info()
    const index = dim < 0 ? dim + sizes.length : dim
    if (!(Number.isInteger(index) && index >= 0 && index < sizes.length)) {
      throw new ArgumentError(`Expected a dimension from ${-sizes.length} to ${sizes.length - 1} for \`dim\` but received ${dim}`)
    }
    return observer === undefined ? sizes[index] : observer.size(this, index, sizes[index])
  }
  /** Distances between neighbours along each dimension, in elements; or that of one dimension. */
  stride(): number[]
  stride(dim: number): number
  stride(dim?: number): number | number[] {
    const { strides } = this.info()
    if (dim === undefined) return strides
    const index = dim < 0 ? dim + strides.length : dim
    if (!(Number.isInteger(index) && index >= 0 && index < strides.length))
      throw new ArgumentError(`Expected a dimension from ${-strides.length} to ${strides.length - 1} for \`dim\` but received ${dim}`)
    return strides[index]
  }
  storageOffset(): number {
    return this.info().offset
  }
  isContiguous(): boolean {
    return this.info().isContiguous
  }

  /**
   * The elements in row-major order. For a contiguous tensor this is its own memory: writes are seen by the tensor and by everything
   * that shares it. For any other tensor (a transposed one, say) it is a copy; `isContiguous()` tells which. float16 and bfloat16
   * are Uint16Arrays of their bits, bool is a Uint8Array, complex numbers are pairs.
   */
  get data(): TypedArray {
    observer?.departs(this, 'data')
    return this.elements()
  }
  private elements(): TypedArray {
    const info = this.info()
    if (!info.isContiguous) return new Tensor(callNative(() => this.#handle.contiguousCopy())).elements()
    const dtype = this.dtype
    const ArrayType = arrayTypeOf(dtype)
    const count = info.sizes.reduce((product, size) => product * size, 1)
    if (count === 0) return new ArrayType(0)
    const buffer = callNative(() => this.#handle.data())
    return new ArrayType(buffer, this.#handle.dataOffset + info.offset * dtypeSize(dtype), count * itemsPerElement(dtype))
  }

  /** The value of a tensor with one element: a number; a boolean of bool, a `Complex` of complex tensors, a bigint where a number is not exact. */
  item<T extends Element = number>(): T {
    observer?.departs(this, 'item')
    const count = this.numel()
    if (count !== 1)
      throw new ArgumentError(`Expected a tensor of one element for \`item\` but received one of shape [${this.shape.join(', ')}]`)
    const { dtype } = this
    return (readItem !== undefined && isUsual(dtype) ? readItem(this) : readElement(dtype, this.elements(), 0)) as T
  }

  /** Nested arrays of the elements; 64-bit integers are numbers where that is exact, else bigints. */
  toArray(): NestedArray {
    observer?.departs(this, 'toArray')
    const { dtype } = this
    const shape = this.info().sizes
    const data = this.elements()
    let at = 0
    const read = (dim: number): NestedArray =>
      dim === shape.length ? readElement(dtype, data, at++) : Array.from({ length: shape[dim] }, () => read(dim + 1))
    return read(0)
  }

  /** Frees the memory now, unless others share it. The tensor cannot be used afterwards. */
  dispose(): void {
    this.#handle.dispose()
  }
  get isDisposed(): boolean {
    return this.#handle.isDisposed
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The text that PyTorch prints for the tensor; `setPrintOptions` changes it. */
  toString(): string {
    if (this.isDisposed) return 'Tensor (disposed)'
    const { sizes, requiresGrad, quant } = this.info()
    const { dtype, device } = this
    let data: TypedArray | undefined
    const read = (index: number): Element => readElement(dtype, (data ??= this.elements()), index)
    return tensorText({ dtype, shape: sizes, read, requiresGrad, device, quantization: quant })
  }
  toJSON(): NestedArray {
    return this.toArray()
  }
  [inspect.custom](): string {
    return this.toString()
  }
}
