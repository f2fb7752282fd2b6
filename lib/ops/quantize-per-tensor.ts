import { kernel } from './op.js'

export default [
  kernel('aten::quantize_per_tensor', 'quantize_per_tensor'),
  kernel('aten::quantize_per_tensor.tensor_qparams', 'quantize_per_tensor_qparams'),
  kernel('aten::quantize_per_tensor_dynamic', 'quantize_per_tensor_dynamic'),
  kernel('aten::quantize_per_channel', 'quantize_per_channel'),
]
