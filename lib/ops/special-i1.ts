import { pointwise } from './op.js'

export default pointwise('aten::special_i1', {
  kernel: 'special_i1',
  expr: 'i1(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
