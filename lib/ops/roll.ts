import { kernel } from './op.js'

export default kernel('aten::roll', 'roll', { dtypeFrom: ['self'], rankOf: 'self' })
