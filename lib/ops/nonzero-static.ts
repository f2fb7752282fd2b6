import { kernel } from './op.js'

export default kernel('aten::nonzero_static', 'nonzero_static')
