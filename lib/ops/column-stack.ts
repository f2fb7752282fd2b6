import { composed } from './op.js'

export default composed(
  'aten::column_stack',
  `
def column_stack(tensors: List[Tensor]) -> Tensor:
  parts = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    if t.dim() <= 1:
      parts.append(t.reshape([t.numel(), 1]))
    else:
      parts.append(t)
  return torch.cat(parts, 1)
`,
)
