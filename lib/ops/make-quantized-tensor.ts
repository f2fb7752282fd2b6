import { kernel } from './op.js'

export default [
  kernel('aten::_make_per_tensor_quantized_tensor', 'make_per_tensor_quantized'),
  kernel('aten::_make_per_channel_quantized_tensor', 'make_per_channel_quantized'),
]
