import { Tensor } from '../../tensor/tensor.js'

/** A tensor on the memory of another that does not require gradients. */
export const detached = (tensor: Tensor): Tensor => Tensor.fromHandle(Tensor.handleOf(tensor))

/** Copies `source` into the memory of `target`, converting the dtype. */
export function copyInto(target: Tensor, source: Tensor): void {
  const from = source.data
  target.data.set(from as never)
  Tensor.handleOf(target).touch()
}

/** The tensor in another dtype; the tensor itself where it has that dtype. */
export function converted(tensor: Tensor, dtype: string): Tensor {
  if (tensor.dtype === dtype) return tensor
  throw new Error(`conversion to ${dtype}`)
}
