import { kernel } from './op.js'

export default kernel(['aten::fill.Scalar', 'aten::fill.Tensor', 'aten::_no_grad_fill_'], 'fill')
