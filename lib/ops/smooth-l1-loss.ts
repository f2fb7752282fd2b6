import { loss } from './families/loss.js'

export default loss(
  'aten::smooth_l1_loss',
  'smooth_l1_loss(self: Tensor, target: Tensor, reduction: int=1, beta: float=1.)',
  `
  if beta < 0.:
    raise RuntimeError('smooth_l1_loss does not support negative values for beta.')
  z = torch.abs(torch.sub(self, target))
  if beta == 0.:
    loss = z
  else:
    loss = torch.where(torch.lt(z, beta), torch.div(torch.mul(torch.mul(z, z), 0.5), beta), torch.sub(z, 0.5 * beta))
`,
)
