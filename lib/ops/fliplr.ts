import { composed } from './op.js'

export default [
  composed(
    'aten::fliplr',
    `
def fliplr(self: Tensor) -> Tensor:
  return torch.flip(self, [1])
`,
  ),
  composed(
    'aten::flipud',
    `
def flipud(self: Tensor) -> Tensor:
  return torch.flip(self, [0])
`,
  ),
]
