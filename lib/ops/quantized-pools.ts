import { composed } from './op.js'

export default [
  composed(
    'quantized::max_pool2d',
    `
def max_pool2d(qx: Tensor, kernel_size: List[int], stride: List[int], padding: List[int], dilation: List[int], ceil_mode: bool) -> Tensor:
  return torch.max_pool2d(qx, kernel_size, stride, padding, dilation, ceil_mode)
`,
  ),
  composed(
    'quantized::max_pool1d',
    `
def max_pool1d(qx: Tensor, kernel_size: List[int], stride: List[int], padding: List[int], dilation: List[int], ceil_mode: bool) -> Tensor:
  return torch.max_pool1d(qx, kernel_size, stride, padding, dilation, ceil_mode)
`,
  ),
]
