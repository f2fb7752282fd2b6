import { composed } from './op.js'

export default composed(
  'aten::as_strided_scatter',
  `
def as_strided_scatter(self: Tensor, src: Tensor, size: List[int], stride: List[int], storage_offset: Optional[int]=None) -> Tensor:
  # The copy has the memory around the elements of self too, as far as the part reaches.
  offset = torch.storage_offset(self)
  first = storage_offset if storage_offset is not None else offset
  need = max(offset, first) + 1
  for sizes, steps, start in [(self.size(), self.stride(), offset), (size, stride, first)]:
    end = start + 1
    for i in range(len(sizes)):
      end += max(sizes[i] - 1, 0) * steps[i]
    need = max(need, end)
  overlaps = False
  for i in range(self.dim()):
    overlaps = overlaps or (self.stride(i) == 0 and self.size(i) > 1)
  if overlaps or self.numel() == 0:
    result = self.clone()
  else:
    result = torch.as_strided(torch.as_strided(self, [need], [1], 0).clone(), self.size(), self.stride(), offset)
  part = torch.as_strided(result, size, stride, storage_offset)
  if part.size() != src.size():
    raise RuntimeError("expected src to have a size equal to the slice of self")
  part.copy_(src)
  return result
`,
)
