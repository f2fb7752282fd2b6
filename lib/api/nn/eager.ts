import { callOperator } from '../../runtime/dispatch.js'
import type { DType } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'

/** Calls `aten::name`, which gives a tensor. */
export const op = (name: string, ...args: unknown[]): Tensor => callOperator(`aten::${name}`, args) as Tensor
/** Calls `aten::name`, which gives several tensors. */
export const ops = (name: string, ...args: unknown[]): Tensor[] => callOperator(`aten::${name}`, args) as Tensor[]
/** Calls `aten::name` with keyword arguments by PyTorch's names. */
export const opWith = (name: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Tensor =>
  callOperator(`aten::${name}`, args, kwargs) as Tensor

/** A tensor on the memory of another that does not require gradients. */
export const detached = (tensor: Tensor): Tensor => op('detach', tensor)

/** Copies `source` into the memory of `target`, converting the dtype. */
export const copyInto = (target: Tensor, source: Tensor): Tensor => op('copy_', target, source)

/** The tensor in another dtype; the tensor itself where it has that dtype. */
export const converted = (tensor: Tensor, dtype: DType): Tensor => (tensor.dtype === dtype ? tensor : op('to', tensor, dtype))

/** A size that goes into operators: a trace keeps where it comes from. Arithmetic on it is none of the trace, so that code here does without. */
export const size = (tensor: Tensor, dim: number): number => tensor.size(dim)

/** Sizes for checks: plain numbers, in a trace too. */
export const plainShape = (tensor: Tensor): number[] => Tensor.handleOf(tensor).info().sizes
