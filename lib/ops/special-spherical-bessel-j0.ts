import { pointwise } from './op.js'

export default pointwise('aten::special_spherical_bessel_j0', {
  kernel: 'special_spherical_bessel_j0',
  expr: 'spherical_bessel_j0(a)',
  operands: { x: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
