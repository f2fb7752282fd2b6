import { kernel } from './op.js'

export default kernel('aten::fractional_max_pool3d', 'fractional_max_pool3d')
