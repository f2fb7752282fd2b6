import { pointwise } from './op.js'

export default pointwise(
  [
    'aten::bitwise_and.Tensor',
    'aten::bitwise_and.Scalar',
    'aten::bitwise_and.Scalar_Tensor',
    'aten::__and__.Tensor',
    'aten::__and__.Scalar',
    'aten::__iand__.Tensor',
    'aten::__iand__.Scalar',
  ],
  {
    kernel: 'bitwise_and',
    expr: 'a & b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int'],
  },
)
