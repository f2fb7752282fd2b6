import { kernel } from './op.js'

export default kernel('aten::adaptive_max_pool3d', 'adaptive_max_pool3d')
