import { composed } from './op.js'

export default composed(
  'aten::sum_to_size',
  `
def sum_to_size(self: Tensor, size: List[int]) -> Tensor:
  lead = self.dim() - len(size)
  if lead < 0:
    raise RuntimeError("size {" + str(self.size()) + "} is not expandable to size {" + str(size) + "}.")
  dims: List[int] = []
  for i in range(self.dim()):
    if i < lead:
      dims.append(i)
    elif size[i - lead] == 1 and self.size(i) != 1:
      dims.append(i)
    elif size[i - lead] != self.size(i):
      raise RuntimeError("size {" + str(self.size()) + "} is not expandable to size {" + str(size) + "}.")
  if len(size) == 0:
    return torch.sum(self)
  result = self
  if len(dims) > 0:
    result = torch.sum(self, dims, True)
  return result.reshape(size) if lead > 0 else result
`,
  { mayReturnArgument: true },
)
