import { pointwise } from './op.js'

export default pointwise(['aten::digamma', 'aten::special_digamma', 'aten::special_psi'], {
  kernel: 'digamma',
  expr: 'digamma(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
