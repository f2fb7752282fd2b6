import { kernel } from './op.js'

export default kernel(['aten::max_pool3d', 'aten::max_pool3d_with_indices', 'aten::mkldnn_max_pool3d'], 'max_pool3d', {
  dtypeFrom: ['self'],
  rankOf: 'self',
})
