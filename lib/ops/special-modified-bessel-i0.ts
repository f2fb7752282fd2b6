import { pointwise } from './op.js'

export default pointwise('aten::special_modified_bessel_i0', {
  kernel: 'special_modified_bessel_i0',
  expr: 'modified_bessel_i0(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
