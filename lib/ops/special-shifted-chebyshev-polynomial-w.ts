import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_shifted_chebyshev_polynomial_w',
    'aten::special_shifted_chebyshev_polynomial_w.x_scalar',
    'aten::special_shifted_chebyshev_polynomial_w.n_scalar',
  ],
  {
    kernel: 'special_shifted_chebyshev_polynomial_w',
    expr: 'chebyshev_w(2 * a - 1, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
