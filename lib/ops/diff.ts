import { composed } from './op.js'

export default composed(
  'aten::diff',
  `
def diff(self: Tensor, n: int=1, dim: int=-1, prepend: Optional[Tensor]=None, append: Optional[Tensor]=None) -> Tensor:
  if self.dim() == 0:
    raise RuntimeError("diff expects input to be at least one-dimensional")
  if n < 0:
    raise RuntimeError("order must be non-negative but got " + str(n))
  if n == 0:
    return self.clone()
  parts = torch.jit.annotate(List[Tensor], [])
  if prepend is not None:
    parts.append(prepend)
  parts.append(self)
  if append is not None:
    parts.append(append)
  x = self
  if len(parts) > 1:
    x = torch.cat(parts, dim)
  for i in range(min(n, x.size(dim))):
    length = x.size(dim)
    high = torch.narrow(x, dim, 1, length - 1)
    low = torch.narrow(x, dim, 0, length - 1)
    if x.dtype == torch.bool:
      x = torch.logical_xor(high, low)
    else:
      x = torch.sub(high, low)
  return x
`,
)
