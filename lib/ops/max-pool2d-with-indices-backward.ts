import { composed } from './op.js'

export default composed(
  'aten::max_pool2d_with_indices_backward',
  `
def max_pool2d_with_indices_backward(grad_output: Tensor, self: Tensor, kernel_size: List[int], stride: List[int], padding: List[int], dilation: List[int], ceil_mode: bool, indices: Tensor) -> Tensor:
  plane = torch.flatten(torch.zeros_like(self), -2)
  return torch.reshape(torch.scatter_add(plane, -1, torch.flatten(indices, -2), torch.flatten(grad_output, -2)), self.size())
`,
)
