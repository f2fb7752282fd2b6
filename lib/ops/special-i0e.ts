import { pointwise } from './op.js'

export default pointwise('aten::special_i0e', {
  kernel: 'special_i0e',
  expr: 'i0e(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
