import { kernel } from './op.js'

export default [
  kernel('aten::norm.Scalar', 'norm_all'),
  kernel('aten::norm.ScalarOpt_dtype', 'norm_all_dtype'),
  kernel(['aten::norm.ScalarOpt_dim', 'aten::norm.ScalarOpt_dim_dtype'], 'norm_dim'),
]
