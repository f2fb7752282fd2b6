import { kernel } from './op.js'

export default [
  kernel('aten::sum', 'sum_all', { dtypeFrom: ['self'], fuses: 'reduction' }),
  kernel('aten::sum.dim_IntList', 'sum_dim', { dtypeFrom: ['self'], fuses: 'reduction' }),
]
