import { kernel } from './op.js'

export default kernel('aten::flip', 'flip', { dtypeFrom: ['self'], rankOf: 'self' })
