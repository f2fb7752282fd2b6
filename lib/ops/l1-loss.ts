import { loss } from './families/loss.js'

export default loss(
  'aten::l1_loss',
  'l1_loss(self: Tensor, target: Tensor, reduction: int=1)',
  `
  loss = torch.abs(torch.sub(self, target))
`,
)
