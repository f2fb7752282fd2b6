import { kernel } from './op.js'

export default kernel('aten::scalar_tensor', 'scalar_tensor')
