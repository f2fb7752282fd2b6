import { pointwise } from './op.js'

export default pointwise('aten::special_i1e', {
  kernel: 'special_i1e',
  expr: 'i1e(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
