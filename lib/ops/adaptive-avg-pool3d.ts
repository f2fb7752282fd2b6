import { kernel } from './op.js'

export default kernel(['aten::adaptive_avg_pool3d', 'aten::_adaptive_avg_pool3d'], 'adaptive_avg_pool3d', {
  dtypeFrom: ['self'],
  rankOf: 'self',
})
