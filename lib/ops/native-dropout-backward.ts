import { composed } from './op.js'

export default composed(
  'aten::native_dropout_backward',
  `
def native_dropout_backward(grad_output: Tensor, mask: Tensor, scale: float) -> Tensor:
  return grad_output * mask * scale
`,
)
