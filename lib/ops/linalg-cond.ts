import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_cond',
    `
def linalg_cond(self: Tensor, p: Optional[number]=None) -> Tensor:
  order = 2.
  if p is not None:
    order = float(p)
  if abs(order) == 2.:
    s = torch.linalg_svdvals(self)
    if order > 0.:
      return torch.div(torch.amax(s, [-1], False), torch.amin(s, [-1], False))
    return torch.div(torch.amin(s, [-1], False), torch.amax(s, [-1], False))
  inverse, info = torch.linalg_inv_ex(self)
  result = torch.mul(torch.linalg_matrix_norm(self, order), torch.linalg_matrix_norm(inverse, order))
  return torch.where(torch.gt(info, 0), torch.full_like(result, float("inf")), result)
`,
  ),
  composed(
    'aten::linalg_cond.p_str',
    `
def linalg_cond(self: Tensor, p: str) -> Tensor:
  inverse, info = torch.linalg_inv_ex(self)
  result = torch.mul(torch.linalg_matrix_norm(self, p), torch.linalg_matrix_norm(inverse, p))
  return torch.where(torch.gt(info, 0), torch.full_like(result, float("inf")), result)
`,
  ),
]
