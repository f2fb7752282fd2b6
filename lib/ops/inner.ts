import { composed } from './op.js'

export default composed(
  'aten::inner',
  `
def inner(self: Tensor, other: Tensor) -> Tensor:
  if self.dim() == 0 or other.dim() == 0:
    return torch.mul(self, other)
  if self.size(-1) != other.size(-1):
    raise RuntimeError('inner() the last dimension must match on both input tensors')
  return torch.tensordot(self, other, [-1], [-1])
`,
)
