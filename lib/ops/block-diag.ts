import { composed } from './op.js'

export default composed(
  'aten::block_diag',
  `
def block_diag(tensors: List[Tensor]) -> Tensor:
  width = 0
  blocks = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    block = t
    if t.dim() == 0:
      block = t.reshape([1, 1])
    elif t.dim() == 1:
      block = t.unsqueeze(0)
    elif t.dim() > 2:
      raise RuntimeError("torch.block_diag: Input tensors must have 2 or fewer dimensions.")
    blocks.append(block)
    width += block.size(1)
  if len(blocks) == 0:
    return torch.empty([1, 0])
  rows = torch.jit.annotate(List[Tensor], [])
  at = 0
  for block in blocks:
    rows.append(torch.constant_pad_nd(block, [at, width - at - block.size(1)], 0))
    at += block.size(1)
  return torch.cat(rows, 0)
`,
)
