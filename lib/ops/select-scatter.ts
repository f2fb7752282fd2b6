import { composed } from './op.js'

export default composed(
  'aten::select_scatter',
  `
def select_scatter(self: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
  result = self.clone(memory_format=torch.contiguous_format)
  part = result.select(dim, index)
  if part.size() != src.size():
    raise RuntimeError("expected src to have a size equal to the slice of self")
  part.copy_(src)
  return result
`,
)
