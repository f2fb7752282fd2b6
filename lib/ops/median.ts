import { kernel } from './op.js'

export default [
  kernel('aten::median', 'median_all'),
  kernel('aten::median.dim', 'median_dim'),
  kernel('aten::nanmedian', 'nanmedian_all'),
  kernel('aten::nanmedian.dim', 'nanmedian_dim'),
]
