import { kernel } from './op.js'

export default [
  kernel(['aten::upsample_linear1d', 'aten::upsample_bilinear2d', 'aten::upsample_trilinear3d'], 'upsample_linear', {
    dtypeFrom: ['self'],
    rankOf: 'self',
    layout: 'keeps',
  }),
  kernel(['aten::upsample_linear1d.vec', 'aten::upsample_bilinear2d.vec', 'aten::upsample_trilinear3d.vec'], 'upsample_linear_vec', {
    dtypeFrom: ['input'],
    rankOf: 'input',
    layout: 'keeps',
  }),
]
