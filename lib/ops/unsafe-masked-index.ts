import { composed } from './op.js'

export default [
  composed(
    'aten::_unsafe_masked_index',
    `
def _unsafe_masked_index(self: Tensor, mask: Tensor, indices: List[Optional[Tensor]], fill: number) -> Tensor:
  if self.numel() == 0:
    return torch.full(mask.size(), fill, dtype=self.dtype, device=self.device)
  inside = torch.jit.annotate(List[Optional[Tensor]], [])
  for i in range(len(indices)):
    index = indices[i]
    if index is None:
      inside.append(None)
    else:
      inside.append(torch.clamp(index, 0, self.size(i) - 1))
  return torch.masked_fill(torch.index(self, inside), torch.logical_not(mask), fill)
`,
  ),
  composed(
    'aten::_unsafe_masked_index_put_accumulate',
    `
def _unsafe_masked_index_put_accumulate(self: Tensor, mask: Tensor, indices: List[Optional[Tensor]], values: Tensor) -> Tensor:
  if self.numel() == 0:
    return self.clone()
  inside = torch.jit.annotate(List[Optional[Tensor]], [])
  for i in range(len(indices)):
    index = indices[i]
    if index is None:
      inside.append(None)
    else:
      inside.append(torch.clamp(index, -self.size(i), self.size(i) - 1))
  return torch.index_put(self, inside, torch.masked_fill(values, torch.logical_not(mask), 0), True)
`,
  ),
]
