import { pointwise } from './op.js'

export default pointwise('aten::special_ndtri', {
  kernel: 'special_ndtri',
  expr: 'ndtri(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
