import { pointwise } from './op.js'

export default pointwise('aten::special_scaled_modified_bessel_k1', {
  kernel: 'special_scaled_modified_bessel_k1',
  expr: 'scaled_modified_bessel_k1(a)',
  operands: { x: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
