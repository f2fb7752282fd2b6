import { composed } from './op.js'

export default composed(
  'aten::diagonal_scatter',
  `
def diagonal_scatter(self: Tensor, src: Tensor, offset: int=0, dim1: int=0, dim2: int=1) -> Tensor:
  result = self.clone(memory_format=torch.contiguous_format)
  part = torch.diagonal(result, offset, dim1, dim2)
  if part.size() != src.size():
    raise RuntimeError("expected src to have a size equal to the slice of self")
  part.copy_(src)
  return result
`,
)
