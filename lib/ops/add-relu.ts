import { composed } from './op.js'

export default [
  composed(
    'aten::_add_relu.Tensor',
    `
def _add_relu(self: Tensor, other: Tensor, alpha: number=1) -> Tensor:
  return torch.relu(torch.add(self, other, alpha=alpha))
`,
  ),
  composed(
    'aten::_add_relu.Scalar',
    `
def _add_relu(self: Tensor, other: number, alpha: number=1) -> Tensor:
  return torch.relu(torch.add(self, other, alpha=alpha))
`,
  ),
]
