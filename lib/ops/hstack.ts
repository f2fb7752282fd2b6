import { composed } from './op.js'

export default composed(
  'aten::hstack',
  `
def hstack(tensors: List[Tensor]) -> Tensor:
  parts = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    if t.dim() == 0:
      parts.append(t.unsqueeze(0))
    else:
      parts.append(t)
  if parts[0].dim() == 1:
    return torch.cat(parts, 0)
  return torch.cat(parts, 1)
`,
)
