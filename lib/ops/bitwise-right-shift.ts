import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::bitwise_right_shift.Tensor',
    'aten::bitwise_right_shift.Tensor_Scalar',
    'aten::bitwise_right_shift.Scalar_Tensor',
    'aten::__rshift__.Tensor',
    'aten::__rshift__.Scalar',
    'aten::__irshift__.Tensor',
    'aten::__irshift__.Scalar',
  ],
  {
    kernel: 'bitwise_right_shift',
    expr: 'shift_right(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int'],
  },
)
