import { composed } from './op.js'

export default composed(
  'aten::_softmax_backward_data',
  `
def _softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: ScalarType) -> Tensor:
  product = torch.mul(grad_output, output)
  return torch.sub(product, torch.mul(output, torch.sum(product, [dim], True))).to(input_dtype)
`,
)
