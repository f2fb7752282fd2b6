import { pointwise } from './op.js'

export default pointwise('aten::special_scaled_modified_bessel_k0', {
  kernel: 'special_scaled_modified_bessel_k0',
  expr: 'scaled_modified_bessel_k0(a)',
  operands: { x: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
