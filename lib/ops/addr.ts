import { composed } from './op.js'

/** Products of bool are their conjunction, and sums their disjunction. */
export default composed(
  'aten::addr',
  `
def addr(self: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Scalar=1, alpha: Scalar=1) -> Tensor:
  if vec1.dim() != 1 or vec2.dim() != 1:
    raise RuntimeError('addr: Expected 1-D arguments')
  base = self.expand([vec1.size(0), vec2.size(0)])
  dtype = torch.promote_types(base.dtype, torch.promote_types(vec1.dtype, vec2.dtype))
  product = torch.mul(torch.unsqueeze(vec1.to(dtype), 1), vec2.to(dtype))
  if dtype == 11:
    if alpha == 0:
      product = torch.zeros_like(product)
    if beta == 0:
      return product
    return torch.logical_or(base, product)
  scaled = torch.add(torch.zeros_like(product), product, alpha=alpha)
  if beta == 0:
    return scaled
  return torch.add(scaled, base.to(dtype), alpha=beta)
`,
)
