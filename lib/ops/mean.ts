import { kernel } from './op.js'

export default [kernel('aten::mean', 'mean_all', 'reduction'), kernel('aten::mean.dim', 'mean_dim', 'reduction')]
