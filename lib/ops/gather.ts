import { kernel } from './op.js'

export default kernel('aten::gather', 'gather', { dtypeFrom: ['self'], rankOf: 'self' })
