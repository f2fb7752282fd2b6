import { composed } from './op.js'

export default composed(
  'aten::diag',
  `
def diag(self: Tensor, diagonal: int=0) -> Tensor:
  if self.dim() == 1:
    return torch.diag_embed(self, diagonal)
  if self.dim() != 2:
    raise RuntimeError("diag(): Supports 1D or 2D tensors. Got " + str(self.dim()) + "D")
  return torch.diagonal(self, diagonal, 0, 1).clone(memory_format=torch.contiguous_format)
`,
)
