import { kernel } from './op.js'

export default [kernel('aten::var', 'var_all'), kernel('aten::var.dim', 'var_dim'), kernel('aten::var.correction', 'var_correction')]
