import { composed } from './op.js'

export default composed(
  'aten::linalg_tensorinv',
  `
def linalg_tensorinv(self: Tensor, ind: int=2) -> Tensor:
  if ind <= 0:
    raise RuntimeError("Expected a strictly positive integer for 'ind'")
  head = self.size()[:ind]
  tail = self.size()[ind:]
  n = 1
  for s in head:
    n *= s
  m = 1
  for s in tail:
    m *= s
  if n != m:
    raise RuntimeError("Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind])")
  return torch.linalg_inv(self.reshape([n, m])).reshape(tail + head)
`,
)
