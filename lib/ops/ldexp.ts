import { composed } from './op.js'

export default composed(
  'aten::ldexp.Tensor',
  `
def ldexp(self: Tensor, other: Tensor) -> Tensor:
  return self * torch.pow(2.0, other)
`,
)
