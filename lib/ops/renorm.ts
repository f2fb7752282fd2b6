import { composed } from './op.js'

export default composed(
  'aten::renorm',
  `
def renorm(self: Tensor, p: number, dim: int, maxnorm: number) -> Tensor:
  d = dim if dim >= 0 else dim + self.dim()
  if d < 0 or d >= self.dim():
    raise IndexError("Dimension out of range (expected to be in range of [" + str(-self.dim()) + ", " + str(self.dim() - 1) + "], but got " + str(dim) + ")")
  dims: List[int] = []
  for i in range(self.dim()):
    if i != d:
      dims.append(i)
  norms = torch.norm(self, p, dims, True)
  factor = torch.where(norms > maxnorm, maxnorm / (norms + 1e-07), torch.ones_like(norms))
  return self * factor
`,
)
