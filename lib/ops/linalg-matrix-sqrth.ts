import { composed } from './op.js'

export default composed(
  'aten::linalg_matrix_sqrth',
  `
def linalg_matrix_sqrth(self: Tensor) -> Tensor:
  values, vectors = torch.linalg_eigh(self)
  roots = torch.sqrt(torch.clamp_min(values, 0))
  return torch.matmul(torch.mul(vectors, roots.unsqueeze(-2).to(vectors.dtype)), torch.conj(vectors.transpose(-2, -1)))
`,
)
