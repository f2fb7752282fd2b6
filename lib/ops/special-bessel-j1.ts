import { pointwise } from './op.js'

export default pointwise('aten::special_bessel_j1', {
  kernel: 'special_bessel_j1',
  expr: 'bessel_j1(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
