import { pointwise } from './op.js'

export default pointwise('aten::reciprocal', {
  kernel: 'reciprocal',
  expr: '1 / a',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
