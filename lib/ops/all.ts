import { kernel } from './op.js'

export default [
  kernel('aten::all', 'all_all'),
  kernel(['aten::all.dim', 'aten::all.dims'], 'all_dim'),
]
