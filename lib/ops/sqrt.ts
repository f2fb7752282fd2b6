import { pointwise } from './op.js'

export default pointwise('aten::sqrt', {
  kernel: 'sqrt',
  expr: 'sqrt(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
