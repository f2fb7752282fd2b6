import { composed } from './op.js'

export default composed(
  'aten::quantized_max_pool2d',
  `
def quantized_max_pool2d(self: Tensor, kernel_size: List[int], stride: List[int]=[], padding: List[int]=[0, 0], dilation: List[int]=[1, 1], ceil_mode: bool=False) -> Tensor:
  return torch.max_pool2d(self, kernel_size, stride, padding, dilation, ceil_mode)
`,
)
