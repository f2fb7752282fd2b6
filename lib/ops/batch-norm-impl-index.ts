import { composed } from './op.js'

export default composed(
  'aten::_batch_norm_impl_index',
  `
def _batch_norm_impl_index(input: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], running_mean: Optional[Tensor], running_var: Optional[Tensor], training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tuple[Tensor, Tensor, Tensor, Tensor, int]:
  output, mean, invstd = torch.native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)
  return (output, mean, invstd, torch.empty([0], dtype=torch.uint8), 0)
`,
)
