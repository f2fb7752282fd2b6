import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::special_chebyshev_polynomial_v',
    'aten::special_chebyshev_polynomial_v.x_scalar',
    'aten::special_chebyshev_polynomial_v.n_scalar',
  ],
  {
    kernel: 'special_chebyshev_polynomial_v',
    expr: 'chebyshev_v(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
