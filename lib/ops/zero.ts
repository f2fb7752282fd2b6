import { kernel } from './op.js'

export default kernel('aten::zero', 'zero')
