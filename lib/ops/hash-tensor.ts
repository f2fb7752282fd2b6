import { kernel } from './op.js'

export default kernel('aten::hash_tensor', 'hash_tensor')
