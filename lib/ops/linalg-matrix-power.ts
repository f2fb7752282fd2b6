import { composed } from './op.js'

export default [
  composed(
    'aten::linalg_matrix_power',
    `
def linalg_matrix_power(self: Tensor, n: int) -> Tensor:
  if self.dim() < 2 or self.size(-1) != self.size(-2):
    raise RuntimeError("linalg.matrix_power: A must be batches of square matrices")
  if n == 0:
    return torch.eye(self.size(-1), dtype=self.dtype, device=self.device).expand(self.size()).clone()
  base = self
  if n < 0:
    base = torch.linalg_inv(self)
  k = abs(n)
  result = base
  started = False
  while k > 0:
    if k % 2 == 1:
      if started:
        result = torch.matmul(result, base)
      else:
        result = base
        started = True
    k = k // 2
    if k > 0:
      base = torch.matmul(base, base)
  return result.clone()
`,
  ),
  composed(
    'aten::matrix_power',
    `
def matrix_power(self: Tensor, n: int) -> Tensor:
  return torch.linalg_matrix_power(self, n)
`,
  ),
]
