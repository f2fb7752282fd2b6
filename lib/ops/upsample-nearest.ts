import { kernel } from './op.js'

export default [
  kernel(['aten::upsample_nearest1d', 'aten::upsample_nearest2d', 'aten::upsample_nearest3d'], 'upsample_nearest', {
    dtypeFrom: ['self'],
    rankOf: 'self',
    layout: 'keeps',
  }),
  kernel(['aten::upsample_nearest1d.vec', 'aten::upsample_nearest2d.vec', 'aten::upsample_nearest3d.vec'], 'upsample_nearest_vec', {
    dtypeFrom: ['input'],
    rankOf: 'input',
    layout: 'keeps',
  }),
]
