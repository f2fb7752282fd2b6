import { composed } from './op.js'

export default composed(
  'aten::_transformer_encoder_layer_fwd',
  `
def _transformer_encoder_layer_fwd(src: Tensor, embed_dim: int, num_heads: int, qkv_weight: Tensor, qkv_bias: Tensor, proj_weight: Tensor, proj_bias: Tensor, use_gelu: bool, norm_first: bool, eps: float, norm_weight_1: Tensor, norm_bias_1: Tensor, norm_weight_2: Tensor, norm_bias_2: Tensor, ffn_weight_1: Tensor, ffn_bias_1: Tensor, ffn_weight_2: Tensor, ffn_bias_2: Tensor, mask: Optional[Tensor]=None, mask_type: Optional[int]=None) -> Tensor:
  x = src
  if norm_first:
    x = torch.layer_norm(x, [embed_dim], norm_weight_1, norm_bias_1, eps)
  attention, weights = torch._native_multi_head_attention(x, x, x, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask, False, True, mask_type)
  x = torch.add(attention, src)
  if not norm_first:
    x = torch.layer_norm(x, [embed_dim], norm_weight_1, norm_bias_1, eps)
  before = x
  if norm_first:
    x = torch.layer_norm(x, [embed_dim], norm_weight_2, norm_bias_2, eps)
  x = torch.linear(x, ffn_weight_1, ffn_bias_1)
  if use_gelu:
    x = torch.gelu(x)
  else:
    x = torch.relu(x)
  x = torch.add(torch.linear(x, ffn_weight_2, ffn_bias_2), before)
  if not norm_first:
    x = torch.layer_norm(x, [embed_dim], norm_weight_2, norm_bias_2, eps)
  return x
`,
)
