import { composed, kernel } from './op.js'

export default [
  kernel(['aten::_embedding_bag', 'aten::_embedding_bag_forward_only'], 'embedding_bag'),
  composed(
    'aten::embedding_bag',
    `
def embedding_bag(weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool=False, mode: int=0, sparse: bool=False, per_sample_weights: Optional[Tensor]=None, include_last_offset: bool=False) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  return torch._embedding_bag(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, -1)
`,
  ),
  composed(
    'aten::embedding_bag.padding_idx',
    `
def embedding_bag(weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool, mode: int, sparse: bool, per_sample_weights: Optional[Tensor], include_last_offset: bool, padding_idx: Optional[int]) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  padding = -1
  if padding_idx is not None:
    padding = padding_idx
    if padding < 0:
      padding = padding + weight.size(0)
  return torch._embedding_bag(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding)
`,
  ),
]
