import { loss } from './families/loss.js'

export default loss(
  'aten::binary_cross_entropy_with_logits',
  'binary_cross_entropy_with_logits(self: Tensor, target: Tensor, weight: Optional[Tensor]=None, pos_weight: Optional[Tensor]=None, reduction: int=1)',
  `
  negative = torch.log_sigmoid(self)
  if pos_weight is not None:
    factor = torch.add(torch.mul(torch.sub(pos_weight, 1), target), 1)
    loss = torch.sub(torch.mul(torch.rsub(target, 1), self), torch.mul(factor, negative))
  else:
    loss = torch.sub(torch.mul(torch.rsub(target, 1), self), negative)
  if weight is not None:
    loss = torch.mul(loss, weight)
`,
)
