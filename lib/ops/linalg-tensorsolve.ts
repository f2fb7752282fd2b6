import { composed } from './op.js'

export default composed(
  'aten::linalg_tensorsolve',
  `
def linalg_tensorsolve(self: Tensor, other: Tensor, dims: Optional[List[int]]=None) -> Tensor:
  x = self
  if dims is not None:
    target = torch.jit.annotate(List[int], [])
    for i in range(len(dims)):
      target.append(self.dim() - len(dims) + i)
    x = torch.movedim(self, dims, target)
  shape = x.size()[other.dim():]
  n = 1
  for s in shape:
    n *= s
  if n != other.numel() or n * n != x.numel():
    raise RuntimeError("Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim])")
  return torch.linalg_solve(x.reshape([n, n]), other.reshape([n])).reshape(shape)
`,
)
