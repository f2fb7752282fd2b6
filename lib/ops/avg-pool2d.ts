import { kernel } from './op.js'

export default kernel('aten::avg_pool2d', 'avg_pool2d', { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps', shrinks: true })
