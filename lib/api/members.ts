import { callOperator, withListener } from '../runtime/dispatch.js'
import type { DType } from '../tensor/dtype.js'
import { dtypeSize } from '../tensor/dtype.js'
import { setItemReader, Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'
import { installMethods } from './operators/operator.js'
import type { MemoryFormat } from './operators/types.js'

/*
 * What tensors have besides the methods of operators: conversions by name, and PyTorch's properties.
 */

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** `aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor`: a copy with the same strides where they leave no gaps. */
    clone(options?: { memoryFormat?: MemoryFormat }): Tensor
    /** `aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=contiguous_format) -> Tensor(a)`: this memory where it is in order. */
    contiguous(options?: { memoryFormat?: MemoryFormat }): Tensor
    float(): Tensor
    double(): Tensor
    half(): Tensor
    bfloat16(): Tensor
    bool(): Tensor
    byte(): Tensor
    char(): Tensor
    short(): Tensor
    int(): Tensor
    long(): Tensor
    /** As complex64. */
    cfloat(): Tensor
    /** As complex128. */
    cdouble(): Tensor
    /** Says whether gradients are wanted. They are not computed here; files keep the mark. Returns this tensor. */
    requiresGrad_(value?: boolean): Tensor
    /** With the order of the dimensions reversed. */
    readonly T: Tensor
    /** With the last two dimensions exchanged. */
    readonly mT: Tensor
    /** A matrix transposed, and conjugated where it is complex. */
    readonly H: Tensor
    readonly mH: Tensor
    /** The real parts: a view of complex tensors, the tensor itself for others. */
    readonly real: Tensor
    readonly imag: Tensor
    /** Number of dimensions. */
    readonly ndim: number
    readonly isLeaf: boolean
    readonly isQuantized: boolean
    /** Bytes of one element. */
    readonly itemsize: number
    /** Bytes of all elements. */
    readonly nbytes: number
    readonly layout: 'strided'
  }
}

installMethods(['clone', 'contiguous'])

const define = (name: string, descriptor: PropertyDescriptor): void => {
  Object.defineProperty(Tensor.prototype, name, { configurable: true, ...descriptor })
}
const call = (name: string, ...args: unknown[]): Tensor => callOperator(`aten::${name}`, args) as Tensor

const conversions: Readonly<Record<string, DType>> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  bool: 'bool',
  byte: 'uint8',
  char: 'int8',
  short: 'int16',
  int: 'int32',
  long: 'int64',
  cfloat: 'complex64',
  cdouble: 'complex128',
}
for (const [name, dtype] of Object.entries(conversions)) {
  const value = function (this: Tensor): Tensor {
    return call('to', this, dtype)
  }
  define(name, { value, writable: true })
}

// The observer of the tensor has been told; the call itself is none of a trace.
setItemReader((tensor) => withListener(undefined, () => callOperator('aten::item', [tensor]) as number))

const matrices = (tensor: Tensor, name: string): Tensor => {
  if (tensor.dim() !== 2 && name === 'H')
    throw new ArgumentError(`Expected a matrix for \`${name}\` but received a tensor of ${tensor.dim()} dimensions`)
  return tensor
}
const properties: Readonly<Record<string, (tensor: Tensor) => unknown>> = {
  T: (tensor) => call('numpy_T', tensor),
  mT: (tensor) => call('mT', tensor),
  H: (tensor) => call('adjoint', matrices(tensor, 'H')),
  mH: (tensor) => call('adjoint', tensor),
  real: (tensor) => call('real', tensor),
  imag: (tensor) => call('imag', tensor),
  ndim: (tensor) => tensor.dim(),
  // Nothing here is computed for gradients.
  isLeaf: () => true,
  isQuantized: (tensor) => tensor.quantization !== null,
  itemsize: (tensor) => dtypeSize(tensor.dtype),
  nbytes: (tensor) => dtypeSize(tensor.dtype) * tensor.numel(),
  layout: () => 'strided',
}
for (const [name, read] of Object.entries(properties)) {
  define(name, {
    get(this: Tensor) {
      return read(this)
    },
  })
}

define('requiresGrad_', {
  writable: true,
  value(this: Tensor, value = true): Tensor {
    Tensor.handleOf(this).setRequiresGrad(value)
    return this
  },
})
