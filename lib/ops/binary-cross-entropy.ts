import { loss } from './families/loss.js'

export default loss(
  'aten::binary_cross_entropy',
  'binary_cross_entropy(self: Tensor, target: Tensor, weight: Optional[Tensor]=None, reduction: int=1)',
  `
  if self.dim() > 0 and torch.numel(self) > 0:
    if bool(torch.any(torch.logical_or(torch.lt(self, 0), torch.gt(self, 1)))):
      raise RuntimeError('all elements of input should be between 0 and 1')
  loss = torch.sub(torch.mul(torch.sub(target, 1), torch.clamp_min(torch.log1p(torch.neg(self)), -100)), torch.mul(target, torch.clamp_min(torch.log(self), -100)))
  if weight is not None:
    loss = torch.mul(loss, weight)
`,
)
