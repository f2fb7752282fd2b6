import { pointwise } from './op.js'

export default pointwise('aten::special_bessel_y1', {
  kernel: 'special_bessel_y1',
  expr: 'bessel_y1(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
