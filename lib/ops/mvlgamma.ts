import { composed } from './op.js'

const body = (name: string): string => `
def ${name}(self: Tensor, p: int) -> Tensor:
  if p < 1:
    raise RuntimeError("p has to be greater than or equal to 1")
  x = self if self.is_floating_point() else self.to(torch.float32)
  result = torch.lgamma(x) + p * (p - 1) * 0.28618247146235004
  for j in range(1, p):
    result = result + torch.lgamma(x - 0.5 * j)
  return result
`

export default [composed('aten::mvlgamma', body('mvlgamma')), composed('aten::special_multigammaln', body('special_multigammaln'))]
