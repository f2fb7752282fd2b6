import { kernel } from './op.js'

export default [
  kernel('aten::std_mean', 'std_mean_all'),
  kernel('aten::std_mean.dim', 'std_mean_dim'),
  kernel('aten::std_mean.correction', 'std_mean_correction'),
]
