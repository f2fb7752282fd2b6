import { composed } from './op.js'

export default composed(
  'aten::unfold_copy',
  `
def unfold_copy(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
  return self.unfold(dimension, size, step).clone(memory_format=torch.contiguous_format)
`,
)
