import { kernel } from './op.js'

export default kernel('aten::fractional_max_pool2d', 'fractional_max_pool2d')
