import { kernel } from './op.js'

export default kernel('aten::frobenius_norm.dim', 'frobenius_norm')
