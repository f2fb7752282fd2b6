import { pointwise } from './op.js'

export default pointwise(
  ['aten::special_hermite_polynomial_he', 'aten::special_hermite_polynomial_he.x_scalar', 'aten::special_hermite_polynomial_he.n_scalar'],
  {
    kernel: 'special_hermite_polynomial_he',
    expr: 'hermite_he(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
