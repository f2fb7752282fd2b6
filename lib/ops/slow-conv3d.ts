import { composed } from './op.js'

export default composed(
  ['aten::slow_conv3d', 'aten::slow_conv3d_forward'],
  `
def slow_conv3d(self: Tensor, weight: Tensor, kernel_size: List[int], bias: Optional[Tensor]=None, stride: List[int]=[1, 1, 1], padding: List[int]=[0, 0, 0]) -> Tensor:
  return torch.conv3d(self, weight, bias, stride, padding, [1, 1, 1], 1)
`,
)
