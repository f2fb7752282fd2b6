import { composed } from './op.js'

export default composed(
  'aten::slice_scatter',
  `
def slice_scatter(self: Tensor, src: Tensor, dim: int=0, start: Optional[int]=None, end: Optional[int]=None, step: int=1) -> Tensor:
  result = self.clone(memory_format=torch.contiguous_format)
  part = torch.slice(result, dim, start, end, step)
  if part.size() != src.size():
    raise RuntimeError("expected src to have a size equal to the slice of self")
  part.copy_(src)
  return result
`,
)
