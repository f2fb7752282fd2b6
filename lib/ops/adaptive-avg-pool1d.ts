import { kernel } from './op.js'

export default kernel('aten::adaptive_avg_pool1d', 'adaptive_avg_pool1d', { dtypeFrom: ['self'], rankOf: 'self' })
