import { composed } from './op.js'

export default composed(
  'aten::kron',
  `
def kron(self: Tensor, other: Tensor) -> Tensor:
  n = max(self.dim(), other.dim())
  a_sizes: List[int] = []
  b_sizes: List[int] = []
  sizes: List[int] = []
  for i in range(n):
    a = 1
    b = 1
    if i >= n - self.dim():
      a = self.size(i - (n - self.dim()))
    if i >= n - other.dim():
      b = other.size(i - (n - other.dim()))
    a_sizes.append(a)
    a_sizes.append(1)
    b_sizes.append(1)
    b_sizes.append(b)
    sizes.append(a * b)
  return torch.reshape(torch.mul(torch.reshape(self, a_sizes), torch.reshape(other, b_sizes)), sizes)
`,
)
