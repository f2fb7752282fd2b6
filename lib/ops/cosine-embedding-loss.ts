import { loss } from './families/loss.js'

export default loss(
  'aten::cosine_embedding_loss',
  'cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float=0., reduction: int=1)',
  `
  d = target.dim()
  products = torch.sum(torch.mul(input1, input2), [d])
  first = torch.add(torch.sum(torch.mul(input1, input1), [d]), 9.9999999999999998e-13)
  second = torch.add(torch.sum(torch.mul(input2, input2), [d]), 9.9999999999999998e-13)
  cosine = torch.div(products, torch.sqrt(torch.mul(first, second)))
  nothing = torch.zeros_like(cosine)
  alike = torch.where(torch.eq(target, 1), torch.rsub(cosine, 1), nothing)
  unlike = torch.where(torch.eq(target, -1), torch.clamp_min(torch.sub(cosine, margin), 0), nothing)
  loss = torch.add(alike, unlike)
`,
)
