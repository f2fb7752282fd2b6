import { kernel } from './op.js'

export default [
  kernel(
    ['aten::_upsample_nearest_exact1d', 'aten::_upsample_nearest_exact2d', 'aten::_upsample_nearest_exact3d'],
    'upsample_nearest_exact',
    { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps' },
  ),
  kernel(
    ['aten::_upsample_nearest_exact1d.vec', 'aten::_upsample_nearest_exact2d.vec', 'aten::_upsample_nearest_exact3d.vec'],
    'upsample_nearest_exact_vec',
    { dtypeFrom: ['input'], rankOf: 'input', layout: 'keeps' },
  ),
]
