import { composed } from './op.js'

export default composed(
  'aten::diagflat',
  `
def diagflat(self: Tensor, offset: int=0) -> Tensor:
  return torch.diag_embed(self.reshape([-1]), offset)
`,
)
