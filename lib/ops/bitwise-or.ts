import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::bitwise_or.Tensor',
    'aten::bitwise_or.Scalar',
    'aten::bitwise_or.Scalar_Tensor',
    'aten::__or__.Tensor',
    'aten::__or__.Scalar',
    'aten::__ior__.Tensor',
    'aten::__ior__.Scalar',
  ],
  {
    kernel: 'bitwise_or',
    expr: 'a | b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int'],
  },
)
