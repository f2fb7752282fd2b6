import { kernel } from './op.js'

export default kernel('aten::_safe_softmax', 'safe_softmax', { dtypeFrom: ['self'], shapeOf: 'self' })
