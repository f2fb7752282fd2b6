import { composed } from './op.js'

export default composed(
  ['aten::outer', 'aten::ger'],
  `
def outer(self: Tensor, vec2: Tensor) -> Tensor:
  if self.dim() != 1 or vec2.dim() != 1:
    raise RuntimeError('outer: Expected 1-D arguments')
  return torch.mul(torch.unsqueeze(self, 1), vec2)
`,
)
