import { kernel } from './op.js'

export default [kernel('aten::min', 'min_all', { fuses: 'reduction' }), kernel('aten::min.dim', 'min_dim')]
