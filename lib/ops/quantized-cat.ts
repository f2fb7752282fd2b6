import { composed } from './op.js'

/** Quantized tensors joined; the result's scale and zero point are the first tensor's where none are given. */
const cat = (name: string, value: string) =>
  composed(
    `quantized::${name}`,
    `
def ${name}(qx: List[Tensor], dim: int, scale: Optional[float], zero_point: Optional[int]) -> Tensor:
  out_scale = torch.q_scale(qx[0])
  out_zero = torch.q_zero_point(qx[0])
  if scale is not None:
    out_scale = scale
  if zero_point is not None:
    out_zero = zero_point
  parts = torch.jit.annotate(List[Tensor], [])
  for x in qx:
    parts.append(torch.dequantize(x))
  joined = torch.cat(parts, dim)
  return torch.quantize_per_tensor(${value}, out_scale, out_zero, qx[0].dtype)
`,
  )

export default [cat('cat', 'joined'), cat('cat_relu', 'torch.relu(joined)')]
