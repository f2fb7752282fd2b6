import { kernel } from './op.js'

export default [
  kernel(
    ['aten::fake_quantize_per_tensor_affine', 'aten::fake_quantize_per_tensor_affine.tensor_qparams'],
    'fake_quantize_per_tensor_affine',
  ),
  kernel('aten::fake_quantize_per_channel_affine', 'fake_quantize_per_channel_affine'),
]
