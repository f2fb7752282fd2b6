import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::remainder.Tensor', 'aten::remainder.Scalar', 'aten::remainder.Scalar_Tensor'], 'remainder', {
    dtypeFrom: ['self', 'other'],
    fuses: 'pointwise',
  }),
  pointwise([], {
    kernel: 'remainder_of',
    expr: 'remainder(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float'],
  }),
]
