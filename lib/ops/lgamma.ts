import { pointwise } from './op.js'

export default pointwise(['aten::lgamma', 'aten::special_gammaln'], {
  kernel: 'lgamma',
  expr: 'lgamma(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
