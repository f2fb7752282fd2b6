import { composed } from './op.js'

export default composed(
  'aten::_conv_depthwise2d',
  `
def _conv_depthwise2d(self: Tensor, weight: Tensor, kernel_size: List[int], bias: Optional[Tensor], stride: List[int], padding: List[int], dilation: List[int]) -> Tensor:
  return torch.conv2d(self, weight, bias, stride, padding, dilation, self.size(1))
`,
)
