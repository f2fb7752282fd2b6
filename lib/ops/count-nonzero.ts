import { kernel } from './op.js'

export default kernel(['aten::count_nonzero', 'aten::count_nonzero.dim_IntList'], 'count_nonzero')
