import { composed } from './op.js'

/** Differences along dimension `d` with a constant step `h`, appended to `results`. */
const byStep = `
    f = self.movedim(d, -1)
    n = f.size(-1)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = (f.narrow(-1, 2, n - 2) - f.narrow(-1, 0, n - 2)) / (h * 2)
    if edge_order == 1:
      first = (f.narrow(-1, 1, 1) - f.narrow(-1, 0, 1)) / h
      last = (f.narrow(-1, n - 1, 1) - f.narrow(-1, n - 2, 1)) / h
    else:
      first = (f.narrow(-1, 1, 1) * 2 - f.narrow(-1, 0, 1) * 1.5 - f.narrow(-1, 2, 1) * 0.5) / h
      last = (f.narrow(-1, n - 1, 1) * 1.5 - f.narrow(-1, n - 2, 1) * 2 + f.narrow(-1, n - 3, 1) * 0.5) / h
    results.append(torch.cat([first, inner, last], -1).movedim(-1, d))
  return results
`

/** The same with coordinates `x` of the points. */
const byPoints = `
    f = self.movedim(d, -1)
    n = f.size(-1)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    dx = x.narrow(0, 1, n - 1) - x.narrow(0, 0, n - 1)
    d1 = dx.narrow(0, 0, n - 2)
    d2 = dx.narrow(0, 1, n - 2)
    inner = f.narrow(-1, 2, n - 2) * (d1 / (d2 * (d1 + d2))) + f.narrow(-1, 1, n - 2) * ((d2 - d1) / (d1 * d2)) - f.narrow(-1, 0, n - 2) * (d2 / (d1 * (d1 + d2)))
    if edge_order == 1:
      first = (f.narrow(-1, 1, 1) - f.narrow(-1, 0, 1)) / dx[0]
      last = (f.narrow(-1, n - 1, 1) - f.narrow(-1, n - 2, 1)) / dx[n - 2]
    else:
      p = dx[0]
      q = dx[1]
      first = f.narrow(-1, 1, 1) * ((p + q) / (p * q)) - f.narrow(-1, 0, 1) * ((2 * p + q) / (p * (p + q))) - f.narrow(-1, 2, 1) * (p / (q * (p + q)))
      p = dx[n - 3]
      q = dx[n - 2]
      last = f.narrow(-1, n - 3, 1) * (q / (p * (p + q))) - f.narrow(-1, n - 2, 1) * ((p + q) / (p * q)) + f.narrow(-1, n - 1, 1) * ((2 * q + p) / (q * (p + q)))
    results.append(torch.cat([first, inner, last], -1).movedim(-1, d))
  return results
`

const oneOrAll = `
  results: List[Tensor] = []
  dims: List[int] = []
  if dim is not None:
    dims.append(dim)
  else:
    for i in range(self.dim()):
      dims.append(i)`

export default [
  composed(
    'aten::gradient.scalarint',
    `
def gradient(self: Tensor, spacing: Optional[number]=None, dim: Optional[int]=None, edge_order: int=1) -> List[Tensor]:${oneOrAll}
  h = 1.0
  if spacing is not None:
    h = float(spacing)
  for d in dims:${byStep}`,
  ),
  composed(
    'aten::gradient.scalararray',
    `
def gradient(self: Tensor, spacing: number, dim: List[int], edge_order: int=1) -> List[Tensor]:
  results: List[Tensor] = []
  h = float(spacing)
  for d in dim:${byStep}`,
  ),
  composed(
    'aten::gradient.array',
    `
def gradient(self: Tensor, dim: List[int], edge_order: int=1) -> List[Tensor]:
  results: List[Tensor] = []
  h = 1.0
  for d in dim:${byStep}`,
  ),
  composed(
    'aten::gradient.tensorarrayint',
    `
def gradient(self: Tensor, spacing: List[Tensor], dim: Optional[int]=None, edge_order: int=1) -> List[Tensor]:${oneOrAll}
  for k in range(len(dims)):
    d = dims[k]
    x = spacing[k]${byPoints}`,
  ),
  composed(
    'aten::gradient.tensorarray',
    `
def gradient(self: Tensor, spacing: List[Tensor], dim: List[int], edge_order: int=1) -> List[Tensor]:
  results: List[Tensor] = []
  for k in range(len(dim)):
    d = dim[k]
    x = spacing[k]${byPoints}`,
  ),
]
