import { pointwise } from './op.js'

export default pointwise('aten::special_ndtr', {
  kernel: 'special_ndtr',
  expr: '0.5 * erfc(a * -0.70710678118654752440)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
