import { composed } from './op.js'

export default composed(
  'aten::rot90',
  `
def rot90(self: Tensor, k: int=1, dims: List[int]=[0, 1]) -> Tensor:
  if len(dims) != 2:
    raise RuntimeError("expected total rotation dims == 2")
  turns = k % 4
  if turns == 1:
    return torch.flip(self, [dims[1]]).transpose(dims[0], dims[1]).clone(memory_format=torch.contiguous_format)
  if turns == 2:
    return torch.flip(self, dims)
  if turns == 3:
    return torch.flip(self, [dims[0]]).transpose(dims[0], dims[1]).clone(memory_format=torch.contiguous_format)
  return self.clone(memory_format=torch.contiguous_format)
`,
)
