import { pointwise } from './op.js'

export default pointwise(
  ['aten::special_laguerre_polynomial_l', 'aten::special_laguerre_polynomial_l.x_scalar', 'aten::special_laguerre_polynomial_l.n_scalar'],
  {
    kernel: 'special_laguerre_polynomial_l',
    expr: 'laguerre_l(a, b)',
    operands: { x: 'a', n: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
