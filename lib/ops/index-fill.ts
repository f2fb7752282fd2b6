import { kernel } from './op.js'

export default kernel(['aten::index_fill.int_Scalar', 'aten::index_fill.int_Tensor'], 'index_fill')
