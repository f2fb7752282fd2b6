import { composed } from './op.js'

export default composed(
  'aten::tensordot',
  `
def tensordot(self: Tensor, other: Tensor, dims_self: List[int], dims_other: List[int]) -> Tensor:
  if len(dims_self) != len(dims_other):
    raise RuntimeError('both dimension lists should have same length')
  a = self
  b = other
  summed_a: List[int] = []
  summed_b: List[int] = []
  for i in range(len(dims_self)):
    d = dims_self[i]
    e = dims_other[i]
    if d < 0:
      d = d + self.dim()
    if e < 0:
      e = e + other.dim()
    summed_a.append(d)
    summed_b.append(e)
    if self.size(d) != other.size(e):
      if self.size(d) == 1:
        b = torch.sum(b, [e], True, dtype=b.dtype)
      elif other.size(e) == 1:
        a = torch.sum(a, [d], True, dtype=a.dtype)
      else:
        raise RuntimeError('contracted dimensions need to match')
  order_a: List[int] = []
  order_b: List[int] = []
  sizes: List[int] = []
  rows = 1
  shared = 1
  columns = 1
  for i in range(self.dim()):
    if i not in summed_a:
      order_a.append(i)
      sizes.append(self.size(i))
      rows = rows * self.size(i)
  for d in summed_a:
    order_a.append(d)
    shared = shared * a.size(d)
  for e in summed_b:
    order_b.append(e)
  for i in range(other.dim()):
    if i not in summed_b:
      order_b.append(i)
      sizes.append(other.size(i))
      columns = columns * other.size(i)
  left = torch.reshape(torch.permute(a, order_a), [rows, shared])
  right = torch.reshape(torch.permute(b, order_b), [shared, columns])
  return torch.reshape(torch.mm(left, right), sizes)
`,
)
