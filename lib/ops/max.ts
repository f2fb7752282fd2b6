import { kernel } from './op.js'

export default [kernel('aten::max', 'max_all', { fuses: 'reduction' }), kernel('aten::max.dim', 'max_dim')]
