import { pointwise } from './op.js'

export default pointwise('aten::special_modified_bessel_k1', {
  kernel: 'special_modified_bessel_k1',
  expr: 'modified_bessel_k1(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
