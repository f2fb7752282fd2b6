import { kernel } from './op.js'

export default [kernel('aten::sum', 'sum_all', 'reduction'), kernel('aten::sum.dim_IntList', 'sum_dim', 'reduction')]
