import { kernel } from './op.js'

export default kernel('aten::avg_pool3d', 'avg_pool3d')
