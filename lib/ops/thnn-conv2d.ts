import { composed } from './op.js'

export default composed(
  ['aten::thnn_conv2d', 'aten::_slow_conv2d_forward'],
  `
def thnn_conv2d(self: Tensor, weight: Tensor, kernel_size: List[int], bias: Optional[Tensor]=None, stride: List[int]=[1, 1], padding: List[int]=[0, 0]) -> Tensor:
  return torch.conv2d(self, weight, bias, stride, padding, [1, 1], 1)
`,
)
