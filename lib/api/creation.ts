import { Tensor } from '../tensor/tensor.js'
import { complex as scalar } from '../tensor/creation.js'
import type { Complex } from '../tensor/typed-array.js'
import { complex as complexTensor } from './operators/functions.js'

export { fromBuffer, tensor } from '../tensor/creation.js'

/** A complex number of two numbers, as argument of a model or element of a tensor; a complex tensor of the real and imaginary parts. */
export function complex(re: number, im: number): Complex
export function complex(real: Tensor, imag: Tensor): Tensor
export function complex(re: number | Tensor, im: number | Tensor): Complex | Tensor {
  return re instanceof Tensor || im instanceof Tensor ? complexTensor(re as Tensor, im as Tensor) : scalar(re, im)
}
