import { pointwise } from './op.js'

export default pointwise(
  ['aten::special_hermite_polynomial_h', 'aten::special_hermite_polynomial_h.x_scalar', 'aten::special_hermite_polynomial_h.n_scalar'],
  {
    kernel: 'special_hermite_polynomial_h',
    expr: 'hermite_h(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
