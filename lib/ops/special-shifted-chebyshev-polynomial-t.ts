import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_shifted_chebyshev_polynomial_t',
    'aten::special_shifted_chebyshev_polynomial_t.x_scalar',
    'aten::special_shifted_chebyshev_polynomial_t.n_scalar',
  ],
  {
    kernel: 'special_shifted_chebyshev_polynomial_t',
    expr: 'chebyshev_t(2 * a - 1, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
