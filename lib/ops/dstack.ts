import { composed } from './op.js'

export default composed(
  'aten::dstack',
  `
def dstack(tensors: List[Tensor]) -> Tensor:
  parts = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    if t.dim() == 0:
      parts.append(t.reshape([1, 1, 1]))
    elif t.dim() == 1:
      parts.append(t.unsqueeze(0).unsqueeze(2))
    elif t.dim() == 2:
      parts.append(t.unsqueeze(2))
    else:
      parts.append(t)
  return torch.cat(parts, 2)
`,
)
