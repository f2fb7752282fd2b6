import * as torch from '../../../lib/index.js'
import type { AuthoredCase } from '../authored.js'
import { op, traced, type AnyTensor } from './tools.js'

class Holder extends torch.nn.Module {
  constructor(value: AnyTensor) {
    super()
    this.registerBuffer('value', value)
  }
  override forward(x: AnyTensor): AnyTensor {
    return op('add', op('to', (this as unknown as { value: AnyTensor }).value, x.dtype), x)
  }
}

const numbers: readonly torch.DType[] = [
  ...(['uint8', 'int8', 'int16', 'int32', 'int64', 'bool', 'float16', 'bfloat16', 'float32', 'float64'] as const),
  ...(['uint16', 'uint32', 'uint64', 'complex64', 'complex128'] as const),
]

/** A module with a buffer of each dtype. */
export const dtypeCases: readonly AuthoredCase[] = numbers.map((dtype) =>
  traced(
    `dtypes/${dtype}`,
    () => new Holder(torch.tensor([1, 0, 1], { dtype })),
    () => [torch.tensor([1, 2, 3], { dtype: dtype.startsWith('complex') ? dtype : 'float32' })],
  ),
)
