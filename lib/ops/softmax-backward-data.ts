import { composed } from './op.js'

export default composed(
  'aten::_softmax_backward_data',
  `
def _softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: ScalarType) -> Tensor:
  grad = grad_output
  result = output
  if result.dtype == 5 or result.dtype == 15:
    grad = grad.to(torch.float32)
    result = result.to(torch.float32)
  total = torch.sum(torch.mul(grad, result), [dim], True)
  return torch.mul(torch.sub(grad, total), result).to(input_dtype)
`,
)
