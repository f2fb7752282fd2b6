import { kernel } from './op.js'

export default kernel('aten::conv_transpose1d', 'conv_transpose1d')
