import { composed } from './op.js'

export default composed(
  'aten::trace',
  `
def trace(self: Tensor) -> Tensor:
  if self.dim() != 2:
    raise RuntimeError("trace: expected a matrix, but got tensor with dim " + str(self.dim()))
  return torch.sum(torch.diagonal(self, 0, 0, 1))
`,
)
