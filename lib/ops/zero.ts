import { kernel } from './op.js'

export default kernel(['aten::zero', 'aten::_no_grad_zero_'], 'zero')
