import { numberBounds, tensorBounds } from './families/singular-bounds.js'
import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_matrix_rank.atol_rtol_float',
    `
def linalg_matrix_rank(self: Tensor, *, atol: Optional[float]=None, rtol: Optional[float]=None, hermitian: bool=False) -> Tensor:
${numberBounds('self')}
  shape = self.size()
  if self.numel() == 0:
    return torch.zeros(shape[:-2], dtype=torch.int64, device=self.device)
  if hermitian:
    sizes = torch.abs(torch.linalg_eigvalsh(self))
    limit = torch.clamp_min(torch.mul(torch.amax(sizes, [-1], True), relative), absolute)
    return torch.sum(torch.gt(sizes, limit), [-1])
  s = torch.linalg_svdvals(self)
  bound = torch.clamp_min(torch.mul(torch.amax(s, [-1], True), relative), absolute)
  return torch.sum(torch.gt(s, bound), [-1])
`,
  ),
  composed(
    'aten::linalg_matrix_rank.atol_rtol_tensor',
    `
def linalg_matrix_rank(input: Tensor, *, atol: Optional[Tensor]=None, rtol: Optional[Tensor]=None, hermitian: bool=False) -> Tensor:
${tensorBounds('input')}
  shape = input.size()
  if input.numel() == 0:
    return torch.zeros(shape[:-2], dtype=torch.int64, device=input.device)
  if hermitian:
    sizes = torch.abs(torch.linalg_eigvalsh(input))
    limit = torch.maximum(absolute.unsqueeze(-1), torch.mul(torch.amax(sizes, [-1], True), relative.unsqueeze(-1)))
    return torch.sum(torch.gt(sizes, limit), [-1])
  s = torch.linalg_svdvals(input)
  bound = torch.maximum(absolute.unsqueeze(-1), torch.mul(torch.amax(s, [-1], True), relative.unsqueeze(-1)))
  return torch.sum(torch.gt(s, bound), [-1])
`,
  ),
  composed(
    'aten::linalg_matrix_rank',
    `
def linalg_matrix_rank(self: Tensor, tol: float, hermitian: bool=False) -> Tensor:
  return torch.linalg_matrix_rank(self, atol=tol, rtol=0., hermitian=hermitian)
`,
  ),
  composed(
    'aten::linalg_matrix_rank.tol_tensor',
    `
def linalg_matrix_rank(input: Tensor, tol: Tensor, hermitian: bool=False) -> Tensor:
  return torch.linalg_matrix_rank(input, atol=tol, rtol=torch.zeros_like(tol), hermitian=hermitian)
`,
  ),
]
