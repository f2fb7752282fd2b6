import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_shifted_chebyshev_polynomial_u',
    'aten::special_shifted_chebyshev_polynomial_u.x_scalar',
    'aten::special_shifted_chebyshev_polynomial_u.n_scalar',
  ],
  {
    kernel: 'special_shifted_chebyshev_polynomial_u',
    expr: 'chebyshev_u(2 * a - 1, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
