import { loss } from './families/loss.js'

export default loss(
  'aten::margin_ranking_loss',
  'margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float=0., reduction: int=1)',
  `
  loss = torch.clamp_min(torch.add(torch.mul(torch.neg(target), torch.sub(input1, input2)), margin), 0)
`,
)
