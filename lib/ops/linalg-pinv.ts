import { numberBounds, tensorBounds } from './families/singular-bounds.js'
import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_pinv.atol_rtol_float',
    `
def linalg_pinv(self: Tensor, *, atol: Optional[float]=None, rtol: Optional[float]=None, hermitian: bool=False) -> Tensor:
${numberBounds('self')}
  shape = self.size()
  if self.numel() == 0:
    return torch.zeros(shape[:-2] + [self.size(-1), self.size(-2)], dtype=self.dtype, device=self.device)
  if hermitian:
    values, vectors = torch.linalg_eigh(self)
    sizes = torch.abs(values)
    limit = torch.clamp_min(torch.mul(torch.amax(sizes, [-1], True), relative), absolute)
    inverse = torch.where(torch.gt(sizes, limit), torch.reciprocal(values), torch.zeros_like(values))
    return torch.matmul(torch.mul(vectors, inverse.unsqueeze(-2).to(vectors.dtype)), torch.conj(vectors.transpose(-2, -1)))
  u, s, vh = torch.linalg_svd(self, False)
  bound = torch.clamp_min(torch.mul(torch.amax(s, [-1], True), relative), absolute)
  scale = torch.where(torch.gt(s, bound), torch.reciprocal(s), torch.zeros_like(s))
  return torch.matmul(torch.mul(torch.conj(vh.transpose(-2, -1)), scale.unsqueeze(-2).to(vh.dtype)), torch.conj(u.transpose(-2, -1)))
`,
  ),
  composed(
    'aten::linalg_pinv.atol_rtol_tensor',
    `
def linalg_pinv(self: Tensor, *, atol: Optional[Tensor]=None, rtol: Optional[Tensor]=None, hermitian: bool=False) -> Tensor:
${tensorBounds('self')}
  shape = self.size()
  if self.numel() == 0:
    return torch.zeros(shape[:-2] + [self.size(-1), self.size(-2)], dtype=self.dtype, device=self.device)
  if hermitian:
    values, vectors = torch.linalg_eigh(self)
    sizes = torch.abs(values)
    limit = torch.maximum(absolute.unsqueeze(-1), torch.mul(torch.amax(sizes, [-1], True), relative.unsqueeze(-1)))
    inverse = torch.where(torch.gt(sizes, limit), torch.reciprocal(values), torch.zeros_like(values))
    return torch.matmul(torch.mul(vectors, inverse.unsqueeze(-2).to(vectors.dtype)), torch.conj(vectors.transpose(-2, -1)))
  u, s, vh = torch.linalg_svd(self, False)
  bound = torch.maximum(absolute.unsqueeze(-1), torch.mul(torch.amax(s, [-1], True), relative.unsqueeze(-1)))
  scale = torch.where(torch.gt(s, bound), torch.reciprocal(s), torch.zeros_like(s))
  return torch.matmul(torch.mul(torch.conj(vh.transpose(-2, -1)), scale.unsqueeze(-2).to(vh.dtype)), torch.conj(u.transpose(-2, -1)))
`,
  ),
  composed(
    'aten::linalg_pinv',
    `
def linalg_pinv(self: Tensor, rcond: float, hermitian: bool=False) -> Tensor:
  return torch.linalg_pinv(self, atol=0., rtol=rcond, hermitian=hermitian)
`,
  ),
  composed(
    'aten::linalg_pinv.rcond_tensor',
    `
def linalg_pinv(self: Tensor, rcond: Tensor, hermitian: bool=False) -> Tensor:
  return torch.linalg_pinv(self, atol=torch.zeros(torch.jit.annotate(List[int], []), dtype=rcond.dtype, device=rcond.device), rtol=rcond, hermitian=hermitian)
`,
  ),
  composed(
    'aten::pinverse',
    `
def pinverse(self: Tensor, rcond: float=1e-15) -> Tensor:
  return torch.linalg_pinv(self, atol=0., rtol=rcond, hermitian=False)
`,
  ),
]
