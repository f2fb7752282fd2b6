import { composed } from './op.js'

export default composed(
  'aten::cosine_similarity',
  `
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int=1, eps: float=1e-08) -> Tensor:
  dtype = torch.result_type(x1, x2)
  both = torch.broadcast_tensors([x1.to(dtype), x2.to(dtype)])
  a = both[0]
  b = both[1]
  na = torch.clamp_min(torch.linalg_vector_norm(a, 2, [dim], True), eps)
  nb = torch.clamp_min(torch.linalg_vector_norm(b, 2, [dim], True), eps)
  return torch.sum(torch.mul(torch.div(a, na), torch.div(b, nb)), [dim])
`,
)
