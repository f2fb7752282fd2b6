import { pointwise } from './op.js'

export default pointwise('aten::exp', {
  kernel: 'exp',
  expr: 'exp(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
