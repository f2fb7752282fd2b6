import { composed } from './op.js'

export default composed(
  'aten::conv_tbc',
  `
def conv_tbc(self: Tensor, weight: Tensor, bias: Tensor, pad: int=0) -> Tensor:
  return torch.permute(torch.conv1d(torch.permute(self, [1, 2, 0]), torch.permute(weight, [2, 1, 0]), bias, [1], [pad], [1], 1), [2, 0, 1]).contiguous()
`,
)
