import { composed } from './op.js'

export default [
  composed(
    'aten::trapezoid.dx',
    `
def trapezoid(y: Tensor, *, dx: number=1, dim: int=-1) -> Tensor:
  n = y.size(dim)
  if n == 0:
    return torch.zeros(torch.sum(y, [dim]).size(), dtype=y.dtype, device=y.device)
  return torch.div(torch.sum(torch.mul(torch.add(torch.narrow(y, dim, 0, n - 1), torch.narrow(y, dim, 1, n - 1)), dx), [dim]), 2.)
`,
  ),
  composed(
    'aten::trapezoid.x',
    `
def trapezoid(y: Tensor, x: Tensor, *, dim: int=-1) -> Tensor:
  n = y.size(dim)
  if n == 0:
    return torch.zeros(torch.sum(y, [dim]).size(), dtype=y.dtype, device=y.device)
  spaced = x
  if x.dim() == 1:
    if x.size(0) != n:
      raise RuntimeError("trapezoid: There must be one x value for each sample point")
    sizes = [1] * y.dim()
    sizes[dim] = n
    spaced = x.view(sizes)
  elif x.dim() < y.dim():
    spaced = x.view([1] * (y.dim() - x.dim()) + x.size())
  m = spaced.size(dim)
  dx = torch.sub(torch.narrow(spaced, dim, 1, m - 1), torch.narrow(spaced, dim, 0, m - 1))
  return torch.div(torch.sum(torch.mul(dx, torch.add(torch.narrow(y, dim, 0, n - 1), torch.narrow(y, dim, 1, n - 1))), [dim]), 2.)
`,
  ),
  composed(
    'aten::trapz.dx',
    `
def trapz(y: Tensor, *, dx: float=1., dim: int=-1) -> Tensor:
  return torch.trapezoid(y, dx=dx, dim=dim)
`,
  ),
  composed(
    'aten::trapz.x',
    `
def trapz(y: Tensor, x: Tensor, *, dim: int=-1) -> Tensor:
  return torch.trapezoid(y, x, dim=dim)
`,
  ),
  composed(
    'aten::cumulative_trapezoid.dx',
    `
def cumulative_trapezoid(y: Tensor, *, dx: number=1, dim: int=-1) -> Tensor:
  n = y.size(dim)
  if n == 0:
    return torch.zeros_like(y)
  return torch.div(torch.cumsum(torch.mul(torch.add(torch.narrow(y, dim, 0, n - 1), torch.narrow(y, dim, 1, n - 1)), dx), dim), 2.)
`,
  ),
  composed(
    'aten::cumulative_trapezoid.x',
    `
def cumulative_trapezoid(y: Tensor, x: Tensor, *, dim: int=-1) -> Tensor:
  n = y.size(dim)
  if n == 0:
    return torch.zeros_like(y)
  spaced = x
  if x.dim() == 1:
    if x.size(0) != n:
      raise RuntimeError("trapezoid: There must be one x value for each sample point")
    sizes = [1] * y.dim()
    sizes[dim] = n
    spaced = x.view(sizes)
  elif x.dim() < y.dim():
    spaced = x.view([1] * (y.dim() - x.dim()) + x.size())
  m = spaced.size(dim)
  dx = torch.sub(torch.narrow(spaced, dim, 1, m - 1), torch.narrow(spaced, dim, 0, m - 1))
  return torch.div(torch.cumsum(torch.mul(dx, torch.add(torch.narrow(y, dim, 0, n - 1), torch.narrow(y, dim, 1, n - 1))), dim), 2.)
`,
  ),
]
