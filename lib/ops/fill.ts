import { kernel } from './op.js'

export default kernel(['aten::fill.Scalar', 'aten::fill.Tensor'], 'fill')
