import { loss } from './families/loss.js'

export default loss(
  'aten::poisson_nll_loss',
  'poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int)',
  `
  if log_input:
    loss = torch.sub(torch.exp(input), torch.mul(target, input))
  else:
    loss = torch.sub(input, torch.mul(target, torch.log(torch.add(input, eps))))
  if full:
    stirling = torch.add(torch.sub(torch.mul(target, torch.log(target)), target), torch.mul(torch.log(torch.mul(target, 6.2831853071795862)), 0.5))
    loss = torch.add(loss, torch.masked_fill(stirling, torch.le(target, 1), 0))
`,
)
