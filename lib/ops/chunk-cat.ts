import { composed } from './op.js'

export default composed(
  'aten::_chunk_cat',
  `
def _chunk_cat(tensors: List[Tensor], dim: int, num_chunks: int) -> Tensor:
  parts = torch.jit.annotate(List[Tensor], [])
  for t in tensors:
    d = dim
    if d < 0:
      d += t.dim()
    sizes = t.size()
    chunk = (sizes[d] + num_chunks - 1) // num_chunks
    x = t
    if chunk * num_chunks != sizes[d]:
      pads = [0, 0] * (t.dim() - d)
      pads[len(pads) - 1] = chunk * num_chunks - sizes[d]
      x = torch.constant_pad_nd(t, pads, 0)
    parts.append(x.reshape(sizes[:d] + [num_chunks, -1]))
  axis = dim
  if axis < 0:
    axis += tensors[0].dim()
  return torch.cat(parts, axis + 1)
`,
)
