import { composed } from './op.js'

export default composed(
  'aten::dist',
  `
def dist(self: Tensor, other: Tensor, p: number=2) -> Tensor:
  return torch.norm(self - other, p)
`,
)
