import { composed } from './op.js'

export default composed(
  'aten::_scaled_dot_product_attention_math',
  `
def _scaled_dot_product_attention_math(query: Tensor, key: Tensor, value: Tensor, attn_mask: Optional[Tensor]=None, dropout_p: float=0., is_causal: bool=False, dropout_mask: Optional[Tensor]=None, *, scale: Optional[float]=None, enable_gqa: bool=False) -> Tuple[Tensor, Tensor]:
  k = key
  v = value
  if enable_gqa:
    k = torch.repeat_interleave(k, query.size(-3) // k.size(-3), -3)
    v = torch.repeat_interleave(v, query.size(-3) // v.size(-3), -3)
  factor = 1. / math.sqrt(query.size(-1))
  if scale is not None:
    factor = scale
  scores = torch.mul(torch.matmul(query, torch.transpose(k, -2, -1)), factor)
  if is_causal:
    allowed = torch.tril(torch.ones([query.size(-2), k.size(-2)], dtype=torch.bool, device=query.device))
    scores = torch.masked_fill(scores, torch.logical_not(allowed), float('-inf'))
  if attn_mask is not None:
    if attn_mask.dtype == torch.bool:
      scores = torch.masked_fill(scores, torch.logical_not(attn_mask), float('-inf'))
    else:
      scores = torch.add(scores, attn_mask)
  weights = torch._safe_softmax(scores, -1)
  return (torch.matmul(weights, v), weights)
`,
)
