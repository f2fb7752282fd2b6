import { pointwise } from './op.js'

export default pointwise('aten::special_bessel_y0', {
  kernel: 'special_bessel_y0',
  expr: 'bessel_y0(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
