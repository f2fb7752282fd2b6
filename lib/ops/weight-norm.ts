import { composed } from './op.js'

export default [
  composed(
    'aten::norm_except_dim',
    `
def norm_except_dim(v: Tensor, pow: int=2, dim: int=0) -> Tensor:
  if dim == -1:
    return torch.norm(v, pow)
  if dim < -1 or dim >= v.dim():
    raise RuntimeError('Dimension out of range')
  dims = torch.jit.annotate(List[int], [])
  for d in range(v.dim()):
    if d != dim:
      dims.append(d)
  if len(dims) == 0:
    return torch.abs(v)
  return torch.norm(v, pow, dims, True)
`,
  ),
  composed(
    'aten::_weight_norm',
    `
def _weight_norm(v: Tensor, g: Tensor, dim: int=0) -> Tensor:
  return torch.mul(v, torch.div(g, torch.norm_except_dim(v, 2, dim)))
`,
  ),
]
