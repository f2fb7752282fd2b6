import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_matrix_norm',
    `
def linalg_matrix_norm(self: Tensor, ord: number, dim: List[int]=[-2, -1], keepdim: bool=False, *, dtype: Optional[int]=None) -> Tensor:
  x = self
  if dtype is not None:
    x = self.to(dtype)
  n = x.dim()
  if len(dim) != 2:
    raise RuntimeError("linalg.matrix_norm: dim must be a 2-tuple")
  d0 = dim[0]
  d1 = dim[1]
  if d0 < 0:
    d0 += n
  if d1 < 0:
    d1 += n
  if d0 == d1:
    raise RuntimeError("linalg.matrix_norm: dims must be different")
  p = float(ord)
  size = abs(p)
  if size == 2.:
    s = torch.linalg_svdvals(torch.movedim(x, [d0, d1], [n - 2, n - 1]))
    result = torch.sum(s, [-1])
    if s.size(-1) > 0:
      if p > 0.:
        result = torch.amax(s, [-1], False)
      else:
        result = torch.amin(s, [-1], False)
    if keepdim:
      result = result.unsqueeze(min(d0, d1)).unsqueeze(max(d0, d1))
    return result
  if size != 1. and size != float("inf"):
    raise RuntimeError("linalg.matrix_norm: Order " + str(p) + " not supported.")
  first = d0
  second = d1
  if size == float("inf"):
    first = d1
    second = d0
  sums = torch.linalg_vector_norm(x, 1, [first], keepdim)
  if not keepdim and second > first:
    second -= 1
  if p > 0. and sums.size(second) == 0:
    return torch.sum(sums, [second], keepdim)
  if p > 0.:
    return torch.amax(sums, [second], keepdim)
  return torch.amin(sums, [second], keepdim)
`,
  ),
  composed(
    'aten::linalg_matrix_norm.str_ord',
    `
def linalg_matrix_norm(self: Tensor, ord: str="fro", dim: List[int]=[-2, -1], keepdim: bool=False, *, dtype: Optional[int]=None) -> Tensor:
  x = self
  if dtype is not None:
    x = self.to(dtype)
  n = x.dim()
  if len(dim) != 2:
    raise RuntimeError("linalg.matrix_norm: dim must be a 2-tuple")
  if ord == "fro":
    return torch.linalg_vector_norm(x, 2, dim, keepdim)
  if ord != "nuc":
    raise RuntimeError("linalg.matrix_norm: Order " + ord + " not supported.")
  d0 = dim[0]
  d1 = dim[1]
  if d0 < 0:
    d0 += n
  if d1 < 0:
    d1 += n
  result = torch.sum(torch.linalg_svdvals(torch.movedim(x, [d0, d1], [n - 2, n - 1])), [-1])
  if keepdim:
    result = result.unsqueeze(min(d0, d1)).unsqueeze(max(d0, d1))
  return result
`,
  ),
  composed(
    'aten::nuclear_norm',
    `
def nuclear_norm(self: Tensor, keepdim: bool=False) -> Tensor:
  return torch.linalg_matrix_norm(self, "nuc", [-2, -1], keepdim)
`,
  ),
  composed(
    'aten::nuclear_norm.dim',
    `
def nuclear_norm(self: Tensor, dim: List[int], keepdim: bool=False) -> Tensor:
  return torch.linalg_matrix_norm(self, "nuc", dim, keepdim)
`,
  ),
]
