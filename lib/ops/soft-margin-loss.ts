import { loss } from './families/loss.js'

export default loss(
  'aten::soft_margin_loss',
  'soft_margin_loss(self: Tensor, target: Tensor, reduction: int=1)',
  `
  loss = torch.log1p(torch.exp(torch.mul(torch.neg(target), self)))
`,
)
