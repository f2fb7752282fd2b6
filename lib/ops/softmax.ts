import { kernel } from './op.js'

export default kernel(['aten::softmax.int', 'aten::_softmax', 'aten::special_softmax'], 'softmax', { dtypeFrom: ['self'], shapeOf: 'self' })
