import { kernel } from './op.js'

export default [
  kernel(['aten::all', 'aten::_is_all_true'], 'all_all', { fuses: 'reduction' }),
  kernel(['aten::all.dim', 'aten::all.dims'], 'all_dim', { fuses: 'reduction' }),
]
