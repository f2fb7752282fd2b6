import { pointwise } from './op.js'

export default pointwise('aten::cos', {
  kernel: 'cos',
  expr: 'cos(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
