import { kernel } from './op.js'

export default kernel('aten::max_unpool2d', 'max_unpool2d')
