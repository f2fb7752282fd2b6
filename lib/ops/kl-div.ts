import { loss } from './families/loss.js'

export default loss(
  'aten::kl_div',
  'kl_div(self: Tensor, target: Tensor, reduction: int=1, *, log_target: bool=False)',
  `
  if log_target:
    loss = torch.mul(torch.exp(target), torch.sub(target, self))
  else:
    loss = torch.sub(torch.xlogy(target, target), torch.mul(target, self))
`,
)
