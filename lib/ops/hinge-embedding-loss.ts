import { loss } from './families/loss.js'

export default loss(
  'aten::hinge_embedding_loss',
  'hinge_embedding_loss(self: Tensor, target: Tensor, margin: float=1., reduction: int=1)',
  `
  nothing = torch.zeros_like(self)
  apart = torch.where(torch.ne(target, 1), torch.clamp_min(torch.rsub(self, margin), 0), nothing)
  near = torch.where(torch.ne(target, -1), self, nothing)
  loss = torch.add(apart, near)
`,
)
