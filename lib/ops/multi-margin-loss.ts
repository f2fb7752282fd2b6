import { composed } from './op.js'

export default composed(
  'aten::multi_margin_loss',
  `
def multi_margin_loss(self: Tensor, target: Tensor, p: Scalar=1, margin: Scalar=1, weight: Optional[Tensor]=None, reduction: int=1) -> Tensor:
  if p != 1 and p != 2:
    raise RuntimeError('only p == 1 and p == 2 supported')
  x = self
  if x.dim() < 2:
    x = torch.reshape(self, [1, -1])
  classes = x.size(1)
  index = torch.reshape(target, [-1, 1])
  z = torch.clamp_min(torch.add(torch.sub(x, torch.gather(x, 1, index)), margin), 0)
  if p == 2:
    z = torch.mul(z, z)
  if weight is not None:
    z = torch.mul(z, torch.unsqueeze(torch.index_select(weight, 0, torch.reshape(index, [-1])), 1))
  z = torch.scatter(z, 1, index, 0)
  loss = torch.div(torch.sum(z, [1]), classes)
  if reduction == 1:
    return torch.mean(loss)
  if reduction == 2:
    return torch.sum(loss)
  return torch.reshape(loss, target.size())
`,
)
