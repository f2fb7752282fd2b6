import { composed } from './op.js'

export default [
  composed(
    'aten::vstack',
    `
def vstack(tensors: List[Tensor]) -> Tensor:
  parts = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    if t.dim() == 0:
      parts.append(t.reshape([1, 1]))
    elif t.dim() == 1:
      parts.append(t.unsqueeze(0))
    else:
      parts.append(t)
  return torch.cat(parts, 0)
`,
  ),
  composed(
    'aten::row_stack',
    `
def row_stack(tensors: List[Tensor]) -> Tensor:
  return torch.vstack(tensors)
`,
  ),
]
