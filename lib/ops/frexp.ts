import { kernel } from './op.js'

export default kernel('aten::frexp.Tensor', 'frexp')
