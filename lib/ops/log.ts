import { pointwise } from './op.js'

export default pointwise('aten::log', {
  kernel: 'log',
  expr: 'log(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
