import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_norm',
    `
def linalg_norm(self: Tensor, ord: Optional[number]=None, dim: Optional[List[int]]=None, keepdim: bool=False, *, dtype: Optional[int]=None) -> Tensor:
  if ord is None:
    if dim is None:
      flat = torch.linalg_vector_norm(self.flatten(), 2, None, False, dtype=dtype)
      if keepdim:
        return flat.reshape([1] * self.dim())
      return flat
    else:
      return torch.linalg_vector_norm(self, 2, dim, keepdim, dtype=dtype)
  else:
    if dim is None:
      if self.dim() == 2:
        return torch.linalg_matrix_norm(self, ord, [0, 1], keepdim, dtype=dtype)
      if self.dim() != 1:
        raise RuntimeError("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got " + str(self.dim()) + "D.")
      return torch.linalg_vector_norm(self, ord, None, keepdim, dtype=dtype)
    else:
      if len(dim) == 2:
        return torch.linalg_matrix_norm(self, ord, dim, keepdim, dtype=dtype)
      return torch.linalg_vector_norm(self, ord, dim, keepdim, dtype=dtype)
`,
  ),
  composed(
    'aten::linalg_norm.ord_str',
    `
def linalg_norm(self: Tensor, ord: str, dim: Optional[List[int]]=None, keepdim: bool=False, *, dtype: Optional[int]=None) -> Tensor:
  if dim is None:
    if self.dim() != 2:
      raise RuntimeError("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D.")
    return torch.linalg_matrix_norm(self, ord, [0, 1], keepdim, dtype=dtype)
  else:
    return torch.linalg_matrix_norm(self, ord, dim, keepdim, dtype=dtype)
`,
  ),
]
