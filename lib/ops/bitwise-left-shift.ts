import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::bitwise_left_shift.Tensor',
    'aten::bitwise_left_shift.Tensor_Scalar',
    'aten::bitwise_left_shift.Scalar_Tensor',
    'aten::__lshift__.Tensor',
    'aten::__lshift__.Scalar',
    'aten::__ilshift__.Tensor',
    'aten::__ilshift__.Scalar',
  ],
  {
    kernel: 'bitwise_left_shift',
    expr: 'shift_left(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int'],
  },
)
