import { kernel } from './op.js'

export default kernel(
  ['aten::adaptive_avg_pool2d', 'aten::_adaptive_avg_pool2d', 'aten::mkldnn_adaptive_avg_pool2d'],
  'adaptive_avg_pool2d',
  { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps', shrinks: true },
)
