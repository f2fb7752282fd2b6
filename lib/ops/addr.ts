import { composed } from './op.js'

export default composed(
  'aten::addr',
  `
def addr(self: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Scalar=1, alpha: Scalar=1) -> Tensor:
  if vec1.dim() != 1 or vec2.dim() != 1:
    raise RuntimeError('addr: Expected 1-D arguments')
  product = torch.mul(torch.mul(torch.unsqueeze(vec1, 1), vec2), alpha)
  if beta == 0:
    return product.to(torch.result_type(self, product))
  return torch.add(torch.mul(self, beta), product)
`,
)
