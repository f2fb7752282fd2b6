import { pointwise } from './op.js'

export default [
  pointwise(['aten::sub.Tensor', 'aten::sub.Scalar', 'aten::subtract.Tensor', 'aten::subtract.Scalar'], {
    kernel: 'sub',
    expr: 'a - alpha * b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float', 'complex'],
  }),
  // Of fused groups, where alpha is 1.
  pointwise([], {
    kernel: 'minus',
    expr: 'a - b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
