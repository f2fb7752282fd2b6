import { kernel } from './op.js'

export default kernel('aten::ones_like', 'ones_like')
