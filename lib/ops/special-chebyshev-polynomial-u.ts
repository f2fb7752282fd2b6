import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_chebyshev_polynomial_u',
    'aten::special_chebyshev_polynomial_u.x_scalar',
    'aten::special_chebyshev_polynomial_u.n_scalar',
  ],
  {
    kernel: 'special_chebyshev_polynomial_u',
    expr: 'chebyshev_u(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
