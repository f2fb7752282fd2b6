import { loss } from './families/loss.js'

export default loss(
  'aten::huber_loss',
  'huber_loss(self: Tensor, target: Tensor, reduction: int=1, delta: float=1.)',
  `
  if delta <= 0.:
    raise RuntimeError('huber_loss does not support non-positive values for delta.')
  z = torch.abs(torch.sub(self, target))
  loss = torch.where(torch.le(z, delta), torch.mul(torch.mul(z, z), 0.5), torch.mul(torch.sub(z, 0.5 * delta), delta))
`,
)
