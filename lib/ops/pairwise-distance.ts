import { composed } from './op.js'

export default composed(
  'aten::pairwise_distance',
  `
def pairwise_distance(x1: Tensor, x2: Tensor, p: float=2., eps: float=1e-06, keepdim: bool=False) -> Tensor:
  return torch.norm(torch.add(torch.sub(x1, x2), eps), p, [-1], keepdim)
`,
)
