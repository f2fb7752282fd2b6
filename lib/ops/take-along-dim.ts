import { composed } from './op.js'

export default composed(
  'aten::take_along_dim',
  `
def take_along_dim(self: Tensor, indices: Tensor, dim: Optional[int]=None) -> Tensor:
  if dim is None:
    flat = indices.reshape([-1])
    return torch.gather(self.reshape([-1]), 0, torch.where(torch.lt(flat, 0), torch.add(flat, self.numel()), flat))
  else:
    d = dim
  if d < 0:
    d += self.dim()
  source_sizes = self.size()
  index_sizes = indices.size()
  if len(source_sizes) != len(index_sizes):
    raise RuntimeError("torch.take_along_dim(): input and indices should have the same number of dimensions")
  for i in range(len(source_sizes)):
    if i != d:
      if source_sizes[i] == 1:
        source_sizes[i] = index_sizes[i]
      if index_sizes[i] == 1:
        index_sizes[i] = source_sizes[i]
  wrapped = torch.where(torch.lt(indices, 0), torch.add(indices, source_sizes[d]), indices)
  return torch.gather(self.expand(source_sizes), d, wrapped.expand(index_sizes))
`,
)
