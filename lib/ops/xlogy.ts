import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::xlogy.Tensor',
    'aten::xlogy.Scalar_Other',
    'aten::xlogy.Scalar_Self',
    'aten::special_xlogy',
    'aten::special_xlogy.other_scalar',
    'aten::special_xlogy.self_scalar',
  ],
  {
    kernel: 'xlogy',
    expr: 'is_nan(b) ? b : (a == 0 ? 0 : a * log(b))',
    operands: { self: 'a', other: 'b' },
    promotion: 'float',
    dtypes: ['float'],
  },
)
