import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::div.Tensor',
    'aten::div.Scalar',
    'aten::divide.Tensor',
    'aten::divide.Scalar',
    'aten::true_divide.Tensor',
    'aten::true_divide.Scalar',
  ],
  {
    kernel: 'div',
    expr: 'a / b',
    operands: { self: 'a', other: 'b' },
    promotion: 'float',
    dtypes: ['float', 'complex'],
  },
)
