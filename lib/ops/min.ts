import { kernel } from './op.js'

export default [kernel('aten::min', 'min_all', 'reduction'), kernel('aten::min.dim', 'min_dim')]
