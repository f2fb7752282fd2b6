import { pointwise } from './op.js'

export default pointwise('aten::special_bessel_j0', {
  kernel: 'special_bessel_j0',
  expr: 'bessel_j0(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
