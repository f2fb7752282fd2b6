import { pointwise } from './op.js'

export default pointwise(
  ['aten::special_legendre_polynomial_p', 'aten::special_legendre_polynomial_p.x_scalar', 'aten::special_legendre_polynomial_p.n_scalar'],
  {
    kernel: 'special_legendre_polynomial_p',
    expr: 'legendre_p(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
