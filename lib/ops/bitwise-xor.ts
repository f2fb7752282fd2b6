import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::bitwise_xor.Tensor',
    'aten::bitwise_xor.Scalar',
    'aten::bitwise_xor.Scalar_Tensor',
    'aten::__xor__.Tensor',
    'aten::__xor__.Scalar',
    'aten::__ixor__.Tensor',
    'aten::__ixor__.Scalar',
  ],
  {
    kernel: 'bitwise_xor',
    expr: 'a ^ b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int'],
  },
)
