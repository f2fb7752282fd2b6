import { pointwise } from './op.js'

export default pointwise('aten::special_modified_bessel_k0', {
  kernel: 'special_modified_bessel_k0',
  expr: 'modified_bessel_k0(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
