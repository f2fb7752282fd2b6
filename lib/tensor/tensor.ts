import { inspect } from 'node:util'
import { markAsUntransferable } from 'node:worker_threads'
import type { NativeBinding, QuantInfo, TensorHandle, TensorInfo } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { ArgumentError, InvariantError } from '../util/errors.js'
import { type DType, dtypeCode, dtypeFromCode, dtypeSize } from './dtype.js'
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

/** What tensors without a handle of one dtype and shape have in common. */
interface SmallLayout {
  readonly index: number
  readonly info: TensorInfo
  readonly dtype: DType
  readonly count: number
  readonly arrayType: ReturnType<typeof arrayTypeOf>
  readonly items: number
}
const layouts: SmallLayout[] = []
let smallResults: NativeBinding['smallResults'] | undefined
/** Arguments from this on are given as handles. */
const maxPlaces = 16
/** Stands for small results that were disposed of. */
let disposed: TensorHandle | undefined
/** In what `invoke` gives for a small result, the layout comes in multiples of this. */
const slots = 256
const slotBytes = 64

function readLayout(index: number): SmallLayout {
  const known = nativeBinding().resultLayout(index)
  const dtype = known && dtypeFromCode(known.dtype)
  if (known === undefined || dtype === undefined) throw new InvariantError(`The addon has no layout ${index} of results.`)
  const { sizes } = known
  const strides = sizes.map((_, dim) => sizes.slice(dim + 1).reduce((product, size) => product * size, 1))
  const count = sizes.reduce((product, size) => product * size, 1)
  const info = {
    dtype: known.dtype,
    sizes: [...sizes],
    strides,
    offset: 0,
    isContiguous: true,
    storageBytes: count * dtypeSize(dtype),
    requiresGrad: false,
    device: -1,
    quant: null,
  }
  return (layouts[index] = { index, info, dtype, count, arrayType: arrayTypeOf(dtype), items: count * itemsPerElement(dtype) })
}

const sameSizes = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, i) => size === b[i])
let lastLayout: SmallLayout | undefined
const layoutsByText = new Map<string, number>()

/** The layout of tensors over memory of JavaScript; undefined where they need a handle. */
function layoutFor(dtype: DType, sizes: readonly number[]): SmallLayout | undefined {
  if (lastLayout !== undefined && lastLayout.dtype === dtype && sameSizes(lastLayout.info.sizes, sizes)) return lastLayout
  const text = `${dtype} ${sizes.join()}`
  let index = layoutsByText.get(text)
  if (index === undefined) {
    index = nativeBinding().layoutOf(dtypeCode(dtype), sizes)
    if (layoutsByText.size < 4096) layoutsByText.set(text, index)
  }
  if (index < 0) return undefined
  return (lastLayout = layouts[index] ?? readLayout(index))
}

/** A tensor in the memory of the native addon. Its memory is freed by the collector, or at once by `dispose`. */
export class Tensor {
  // Small results have no handle until something needs one; until then their memory is a place in an ArrayBuffer.
  #handle: TensorHandle | undefined
  #layout: SmallLayout | undefined
  #memory: ArrayBuffer | undefined
  #place = 0

  /** Subclasses only; `Tensor.fromHandle` makes tensors. */
  protected constructor(handle?: TensorHandle) {
    this.#handle = handle
    if (created !== undefined) created.push(this)
  }

  /** What `invoke` of the addon gives for a tensor. */
  static fromResult(result: TensorHandle | number): Tensor {
    if (typeof result !== 'number') return new Tensor(result)
    const place = result % slots
    const layout = (result - place) / slots
    const tensor = new Tensor()
    tensor.#layout = layouts[layout] ?? readLayout(layout)
    tensor.#memory = (smallResults ??= nativeBinding().smallResults).memory
    tensor.#place = place * slotBytes
    // Other results share it.
    if (place === 0) markAsUntransferable(tensor.#memory)
    return tensor
  }

  /** A tensor over memory that JavaScript has; undefined where that needs a handle from the start. */
  static over(memory: ArrayBuffer, place: number, dtype: DType, sizes: readonly number[]): Tensor | undefined {
    // Storages reach to the end of the buffer, and what shrinks or may have gone is for the addon to refuse.
    if (!(memory instanceof ArrayBuffer) || (memory as { resizable?: boolean }).resizable === true || memory.byteLength === 0)
      return undefined
    const layout = layoutFor(dtype, sizes)
    if (layout === undefined || layout.info.storageBytes !== memory.byteLength - place) return undefined
    const tensor = new Tensor()
    tensor.#layout = layout
    tensor.#memory = memory
    tensor.#place = place
    return tensor
  }

  /** A tensor as argument `index` of `call` and `invoke` of the addon. */
  static argumentOf(tensor: Tensor, index: number): TensorHandle | ArrayBuffer {
    const layout = tensor.#layout
    if (layout === undefined || index >= maxPlaces) return tensor.#handle ?? tensor.#native()
    const { places } = (smallResults ??= nativeBinding().smallResults)
    places[2 * index] = tensor.#place
    places[2 * index + 1] = layout.index
    return tensor.#memory!
  }
  /** After such a call: gives tensors the handles that they need now. `first` arguments came before `args`. */
  static settleArguments(args: readonly unknown[], first = 0): void {
    const changed = smallResults?.changed
    if (changed === undefined) return
    smallResults!.changed = undefined
    for (let i = 0; i < changed.length; i += 2) {
      const tensor = args[(changed[i] as number) - first]
      const handle = changed[i + 1] as TensorHandle
      if (tensor instanceof Tensor) tensor.#become(handle)
    }
  }

  /** The handle, which a small result gets now. */
  #native(): TensorHandle {
    if (this.#handle !== undefined) return this.#handle
    const layout = this.#layout
    if (layout === undefined) throw this.withoutMemory()
    const { dtype, sizes, storageBytes } = layout.info
    const handle = nativeBinding().tensorFromBuffer(this.#memory!, this.#place, dtype, sizes, null, storageBytes)
    this.#become(handle)
    return handle
  }
  #become(handle: TensorHandle): void {
    this.#handle = handle
    this.#layout = this.#memory = undefined
  }

  /** Wraps a tensor of the addon. */
  static fromHandle(handle: TensorHandle): Tensor {
    return new Tensor(handle)
  }
  /** The addon's tensor behind this one. */
  static handleOf(tensor: Tensor): TensorHandle {
    return tensor.#handle ?? tensor.#native()
  }
  /** The handle if there is one: small results get theirs when something needs it. */
  static presentHandleOf(tensor: Tensor): TensorHandle | undefined {
    return tensor.#handle
  }

  /** Lets a tensor stand for other memory; it stays the same object to all that have it. */
  static replaceHandle(tensor: Tensor, handle: TensorHandle): void {
    tensor.#become(handle)
  }

  /** Takes the memory away from a tensor; `replaceHandle` gives it some again. */
  protected static withdrawHandle(tensor: Tensor): void {
    tensor.#handle = tensor.#layout = tensor.#memory = undefined
  }
  /** Why a tensor without memory cannot be used. */
  protected withoutMemory(): Error {
    return new InvariantError('A tensor has no memory.')
  }

  /** What the addon says of a tensor, which gets no handle for it. The caller must not write into it. */
  static infoOf(tensor: Tensor): TensorInfo {
    return tensor.info()
  }
  /** The caller must not write into it. */
  private info(): TensorInfo {
    if (this.#layout !== undefined && this.#memory!.byteLength > 0) return this.#layout.info
    return callNative(() => this.#native().info())
  }

  get shape(): number[] {
    const { sizes } = this.info()
    const observing = observer
    return observing === undefined ? sizes.slice() : sizes.map((size, dim) => observing.size(this, dim, size))
  }
  get dtype(): DType {
    const { dtype } = this.info()
    const name = dtypeFromCode(dtype)
    if (name === undefined) throw new InvariantError(`The dtype code ${dtype} has no name.`)
    return name
  }
  get device(): string {
    const { device } = this.info()
    return device < 0 ? 'cpu' : `cuda:${device}`
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
    if (dim === undefined) return strides.slice()
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
   * that shares it; the ArrayBuffer under it may hold other tensors too. For any other tensor (a transposed one, say) it is a copy;
   * `isContiguous()` tells which. float16 and bfloat16 are Uint16Arrays of their bits, bool is a Uint8Array, complex numbers are pairs.
   */
  get data(): TypedArray {
    observer?.departs(this, 'data')
    if (this.#layout === undefined && this.info().device >= 0) {
      throw new ArgumentError(`Expected a tensor on the CPU for \`data\` but received one on ${this.device}; copy it with \`cpu()\` first`)
    }
    return this.elements()
  }
  private elements(): TypedArray {
    const layout = this.#layout
    if (layout !== undefined && this.#memory!.byteLength > 0) return new layout.arrayType(this.#memory!, this.#place, layout.items)
    const info = this.info()
    if (info.device >= 0) {
      // As CPU tensors give copies where they are not contiguous; nothing of the copy stays.
      const copy = new Tensor(callNative(() => this.#native().copyTo(-1)))
      return copy.elements()
    }
    if (!info.isContiguous) return new Tensor(callNative(() => this.#native().contiguousCopy())).elements()
    const dtype = this.dtype
    const ArrayType = arrayTypeOf(dtype)
    const count = info.sizes.reduce((product, size) => product * size, 1)
    if (count === 0) return new ArrayType(0)
    const handle = this.#native()
    const buffer = callNative(() => handle.data())
    return new ArrayType(buffer, handle.dataOffset + info.offset * dtypeSize(dtype), count * itemsPerElement(dtype))
  }

  /** The value of a tensor with one element: a number; a boolean of bool, a `Complex` of complex tensors, a bigint where a number is not exact. */
  item<T extends Element = number>(): T {
    observer?.departs(this, 'item')
    const count = this.numel()
    if (count !== 1)
      throw new ArgumentError(`Expected a tensor of one element for \`item\` but received one of shape [${this.shape.join(', ')}]`)
    const { dtype } = this
    return (
      readItem !== undefined && this.#layout === undefined && isUsual(dtype) ? readItem(this) : readElement(dtype, this.elements(), 0)
    ) as T
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
    if (this.#layout !== undefined) this.#become((disposed ??= nativeBinding().emptyTensor(dtypeCode('float32'), [0])))
    this.#handle?.dispose()
  }
  get isDisposed(): boolean {
    return this.#layout === undefined && this.#handle?.isDisposed === true
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
