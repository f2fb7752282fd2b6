import { composed } from './op.js'

/** The in-place form takes its arguments in the other order than `polygamma`. */
export default composed(
  'aten::polygamma_',
  `
def polygamma_(self: Tensor, n: int) -> Tensor:
  return self.copy_(torch.polygamma(n, self))
`,
)
