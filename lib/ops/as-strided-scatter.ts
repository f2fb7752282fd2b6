import { composed } from './op.js'

export default composed(
  'aten::as_strided_scatter',
  `
def as_strided_scatter(self: Tensor, src: Tensor, size: List[int], stride: List[int], storage_offset: Optional[int]=None) -> Tensor:
  result = self.clone()
  part = torch.as_strided(result, size, stride, storage_offset)
  if part.size() != src.size():
    raise RuntimeError("expected src to have a size equal to the slice of self")
  part.copy_(src)
  return result
`,
)
