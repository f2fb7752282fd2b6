import { composed } from './op.js'

export default composed(
  'aten::linalg_polar',
  `
def linalg_polar(A: Tensor) -> Tuple[Tensor, Tensor]:
  u, s, vh = torch.linalg_svd(A, False)
  v = torch.conj(vh.transpose(-2, -1))
  return torch.matmul(u, vh), torch.matmul(torch.mul(v, s.unsqueeze(-2).to(v.dtype)), vh)
`,
)
