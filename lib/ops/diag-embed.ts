import { composed } from './op.js'

export default composed(
  'aten::diag_embed',
  `
def diag_embed(self: Tensor, offset: int=0, dim1: int=-2, dim2: int=-1) -> Tensor:
  n = self.dim() + 1
  if dim1 < -n or dim1 >= n or dim2 < -n or dim2 >= n:
    raise IndexError("Dimension out of range")
  d1 = dim1 % n
  d2 = dim2 % n
  if d1 == d2:
    raise RuntimeError("diagonal dimensions cannot be identical")
  length = self.size(-1) + abs(offset)
  sizes = self.size()[:-1]
  sizes.insert(min(d1, d2), length)
  sizes.insert(max(d1, d2), length)
  result = torch.zeros(sizes, dtype=self.dtype, device=self.device)
  torch.diagonal(result, offset, d1, d2).copy_(self)
  return result
`,
)
