import { composed } from './op.js'

export default composed(
  'aten::_addmm_activation',
  `
def _addmm_activation(self: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Scalar=1, alpha: Scalar=1, use_gelu: bool=False) -> Tensor:
  result = torch.addmm(self, mat1, mat2, beta=beta, alpha=alpha)
  if use_gelu:
    return torch.gelu(result)
  return torch.relu(result)
`,
)
