import { loss } from './families/loss.js'

export default loss(
  'aten::triplet_margin_loss',
  'triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float=1., p: float=2., eps: float=9.9999999999999995e-07, swap: bool=False, reduction: int=1)',
  `
  near = torch.pairwise_distance(anchor, positive, p, eps)
  far = torch.pairwise_distance(anchor, negative, p, eps)
  if swap:
    far = torch.minimum(far, torch.pairwise_distance(positive, negative, p, eps))
  loss = torch.clamp_min(torch.sub(torch.add(near, margin), far), 0)
`,
)
