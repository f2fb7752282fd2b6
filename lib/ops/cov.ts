import { composed } from './op.js'

export default [
  composed(
    'aten::cov',
    `
def cov(self: Tensor, correction: int=1, fweights: Optional[Tensor]=None, aweights: Optional[Tensor]=None) -> Tensor:
  x = self.view(1, -1) if self.dim() < 2 else self
  if fweights is None and aweights is None:
    mean = torch.mean(x if x.is_floating_point() or x.is_complex() else x.to(torch.float32), [1], True)
    centered = x - mean
    plain = torch.matmul(centered, torch.conj(centered.t())) / max(float(x.size(1) - correction), 0.0)
    return plain.squeeze()
  w = torch.ones([x.size(1)], dtype=torch.int64, device=x.device)
  if fweights is not None:
    if fweights.numel() != x.size(1):
      raise RuntimeError("cov(): expected fweights to have the same numel as there are observations in the input but got " + str(fweights.numel()) + " != " + str(x.size(1)))
    w = fweights
  if aweights is not None:
    if aweights.numel() != x.size(1):
      raise RuntimeError("cov(): expected aweights to have the same numel as there are observations in the input but got " + str(aweights.numel()) + " != " + str(x.size(1)))
    w = w * aweights
  total = torch.sum(w)
  center = torch.sum(x * w, [1], True) / total
  norm = total
  if correction != 0:
    if aweights is None:
      norm = total - correction
    else:
      norm = total - correction * torch.sum(w * aweights) / total
  weighted = x - center
  result = torch.matmul(weighted, torch.conj((weighted * w).t())) / torch.clamp_min(norm, 0)
  return result.squeeze()
`,
  ),
  composed(
    'aten::corrcoef',
    `
def corrcoef(self: Tensor) -> Tensor:
  c = torch.cov(self)
  if c.dim() == 0:
    return c / c
  d = torch.diagonal(c)
  d = torch.sqrt(torch.real(d) if d.is_complex() else d)
  c = c / d.view(-1, 1) / d.view(1, -1)
  if c.is_complex():
    return torch.complex(torch.clamp(torch.real(c), -1, 1), torch.clamp(torch.imag(c), -1, 1))
  return torch.clamp(c, -1, 1)
`,
  ),
]
