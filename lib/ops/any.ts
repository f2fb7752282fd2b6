import { kernel } from './op.js'

export default [
  kernel('aten::any', 'any_all'),
  kernel(['aten::any.dim', 'aten::any.dims'], 'any_dim'),
]
