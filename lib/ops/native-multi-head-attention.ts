import { composed } from './op.js'

export default composed(
  'aten::_native_multi_head_attention',
  `
def _native_multi_head_attention(query: Tensor, key: Tensor, value: Tensor, embed_dim: int, num_head: int, qkv_weight: Tensor, qkv_bias: Tensor, proj_weight: Tensor, proj_bias: Tensor, mask: Optional[Tensor]=None, need_weights: bool=True, average_attn_weights: bool=True, mask_type: Optional[int]=None) -> Tuple[Tensor, Tensor]:
  batch = query.size(0)
  length = query.size(1)
  keys = key.size(1)
  width = embed_dim // num_head
  q = torch.linear(query, torch.slice(qkv_weight, 0, 0, embed_dim), torch.slice(qkv_bias, 0, 0, embed_dim))
  k = torch.linear(key, torch.slice(qkv_weight, 0, embed_dim, 2 * embed_dim), torch.slice(qkv_bias, 0, embed_dim, 2 * embed_dim))
  v = torch.linear(value, torch.slice(qkv_weight, 0, 2 * embed_dim, 3 * embed_dim), torch.slice(qkv_bias, 0, 2 * embed_dim, 3 * embed_dim))
  q = torch.transpose(torch.reshape(q, [batch, length, num_head, width]), 1, 2)
  k = torch.transpose(torch.reshape(k, [batch, keys, num_head, width]), 1, 2)
  v = torch.transpose(torch.reshape(v, [batch, keys, num_head, width]), 1, 2)
  attend: Optional[Tensor] = None
  if mask is not None:
    masked = mask
    if mask_type is not None and mask_type == 1:
      masked = torch.reshape(masked, [batch, 1, 1, keys])
    if masked.dtype == torch.bool:
      attend = torch.logical_not(masked)
    else:
      attend = masked
  weights = torch.empty([0], dtype=query.dtype)
  if need_weights:
    scores = torch.div(torch.matmul(q, torch.transpose(k, -2, -1)), math.sqrt(width))
    if attend is not None:
      if attend.dtype == torch.bool:
        scores = torch.masked_fill(scores, torch.logical_not(attend), float('-inf'))
      else:
        scores = torch.add(scores, attend)
    weights = torch.softmax(scores, -1)
    result = torch.matmul(weights, v)
    if average_attn_weights:
      weights = torch.mean(weights, [1])
  else:
    result = torch.scaled_dot_product_attention(q, k, v, attend)
  joined = torch.reshape(torch.transpose(result, 1, 2), [batch, length, embed_dim])
  return (torch.linear(joined, proj_weight, proj_bias), weights)
`,
)
