import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_chebyshev_polynomial_t',
    'aten::special_chebyshev_polynomial_t.x_scalar',
    'aten::special_chebyshev_polynomial_t.n_scalar',
  ],
  {
    kernel: 'special_chebyshev_polynomial_t',
    expr: 'chebyshev_t(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
