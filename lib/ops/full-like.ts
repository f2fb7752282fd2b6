import { kernel } from './op.js'

export default kernel('aten::full_like', 'full_like')
