import { composed } from './op.js'

export default composed(
  'aten::glu',
  `
def glu(self: Tensor, dim: int=-1) -> Tensor:
  if self.dim() == 0:
    raise RuntimeError("glu does not support 0-dimensional tensors")
  n = self.size(dim)
  if n % 2 != 0:
    raise RuntimeError("Halving dimension must be even, but dimension " + str(dim) + " is size " + str(n))
  return self.narrow(dim, 0, n // 2) * torch.sigmoid(self.narrow(dim, n // 2, n // 2))
`,
)
