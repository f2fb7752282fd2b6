import { kernel } from './op.js'

export default [
  kernel(['aten::any', 'aten::_is_any_true'], 'any_all', { fuses: 'reduction' }),
  kernel(['aten::any.dim', 'aten::any.dims'], 'any_dim', { fuses: 'reduction' }),
]
