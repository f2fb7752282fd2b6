import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_vander',
    `
def linalg_vander(x: Tensor, *, N: Optional[int]=None) -> Tensor:
  n = 0
  if N is not None:
    n = N
  else:
    n = x.size(-1)
  if n <= 1:
    raise RuntimeError("N must be greater than 1.")
  base = x
  if x.dim() == 0:
    base = x.reshape([1])
  if not x.is_floating_point() and not x.is_complex():
    base = base.to(torch.int64)
  ones = torch.ones_like(base).unsqueeze(-1)
  powers = torch.cumprod(base.unsqueeze(-1).expand(base.size() + [n - 1]), -1)
  return torch.cat([ones, powers], -1)
`,
  ),
  composed(
    'aten::vander',
    `
def vander(x: Tensor, N: Optional[int]=None, increasing: bool=False) -> Tensor:
  n = x.size(0)
  if N is not None:
    n = N
  base = x
  if not x.is_floating_point() and not x.is_complex():
    base = x.to(torch.int64)
  result = torch.ones([x.size(0), n], dtype=base.dtype, device=x.device)
  if n > 1:
    powers = torch.cumprod(base.unsqueeze(-1).expand([x.size(0), n - 1]), -1)
    result = torch.cat([torch.ones_like(base).unsqueeze(-1), powers], -1)
  if increasing:
    return result
  return torch.flip(result, [1])
`,
  ),
]
