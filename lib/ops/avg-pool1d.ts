import { kernel } from './op.js'

export default kernel('aten::avg_pool1d', 'avg_pool1d', { dtypeFrom: ['self'], rankOf: 'self' })
