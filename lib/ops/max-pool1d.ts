import { kernel } from './op.js'

export default kernel(['aten::max_pool1d', 'aten::max_pool1d_with_indices'], 'max_pool1d', { dtypeFrom: ['self'], rankOf: 'self' })
