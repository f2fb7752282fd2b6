import { kernel } from './op.js'

export default [kernel('aten::mean', 'mean_all'), kernel('aten::mean.dim', 'mean_dim')]
