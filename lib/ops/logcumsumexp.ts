import { kernel } from './op.js'

export default kernel(['aten::logcumsumexp', 'aten::_logcumsumexp'], 'logcumsumexp')
