import { kernel } from './op.js'

export default kernel(['aten::log_softmax.int', 'aten::_log_softmax', 'aten::special_log_softmax'], 'log_softmax', {
  dtypeFrom: ['self'],
  shapeOf: 'self',
})
