import { kernel } from './op.js'

export default kernel('aten::max_unpool3d', 'max_unpool3d')
