import { kernel } from './op.js'

export default [
  kernel('aten::mean', 'mean_all', { dtypeFrom: ['self'], fuses: 'reduction' }),
  kernel('aten::mean.dim', 'mean_dim', { dtypeFrom: ['self'], fuses: 'reduction' }),
]
