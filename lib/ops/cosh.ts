import { pointwise } from './op.js'

export default pointwise('aten::cosh', {
  kernel: 'cosh',
  expr: 'cosh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
