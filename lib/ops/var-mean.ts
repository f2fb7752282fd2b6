import { kernel } from './op.js'

export default [
  kernel('aten::var_mean', 'var_mean_all'),
  kernel('aten::var_mean.dim', 'var_mean_dim'),
  kernel('aten::var_mean.correction', 'var_mean_correction'),
]
