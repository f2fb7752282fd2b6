import { kernel } from './op.js'

export default kernel(['aten::max_pool2d', 'aten::max_pool2d_with_indices', 'aten::mkldnn_max_pool2d'], 'max_pool2d', {
  dtypeFrom: ['self'],
  rankOf: 'self',
  layout: 'keeps',
  shrinks: true,
})
