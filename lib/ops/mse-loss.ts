import { loss } from './families/loss.js'

export default loss(
  'aten::mse_loss',
  'mse_loss(self: Tensor, target: Tensor, reduction: int=1)',
  `
  difference = torch.sub(self, target)
  loss = torch.mul(difference, difference)
`,
)
