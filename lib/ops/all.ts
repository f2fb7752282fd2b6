import { kernel } from './op.js'

export default [kernel(['aten::all', 'aten::_is_all_true'], 'all_all', 'reduction'), kernel(['aten::all.dim', 'aten::all.dims'], 'all_dim', 'reduction')]
