import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_cross',
    `
def linalg_cross(self: Tensor, other: Tensor, *, dim: int=-1) -> Tensor:
  if self.dim() != other.dim():
    raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
  if self.size(dim) != 3 or other.size(dim) != 3:
    raise RuntimeError("linalg.cross: inputs dimension " + str(dim) + " must have length 3. Got " + str(self.size(dim)) + " and " + str(other.size(dim)))
  both = torch.broadcast_tensors([self, other])
  a = both[0]
  b = both[1]
  return torch.sub(torch.mul(torch.roll(a, [-1], [dim]), torch.roll(b, [-2], [dim])), torch.mul(torch.roll(a, [-2], [dim]), torch.roll(b, [-1], [dim])))
`,
  ),
  composed(
    'aten::cross',
    `
def cross(self: Tensor, other: Tensor, dim: Optional[int]=None) -> Tensor:
  d = -1
  if dim is not None:
    d = dim
  else:
    found = False
    for i in range(self.dim()):
      if not found and self.size(i) == 3:
        d = i
        found = True
    if not found:
      raise RuntimeError("no dimension of size 3 in input")
  return torch.linalg_cross(self, other, dim=d)
`,
  ),
]
