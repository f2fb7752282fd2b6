import { kernel } from './op.js'

export default kernel(['aten::uniform', 'aten::_no_grad_uniform_'], 'uniform')
