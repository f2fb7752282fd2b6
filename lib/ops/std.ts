import { kernel } from './op.js'

export default [kernel('aten::std', 'std_all'), kernel('aten::std.dim', 'std_dim'), kernel('aten::std.correction', 'std_correction')]
