import { composed } from './op.js'

export default composed(
  'aten::linalg_vecdot',
  `
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int=-1) -> Tensor:
  return torch.sum(torch.mul(torch.conj_physical(x), y), [dim])
`,
)
