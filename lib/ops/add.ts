import { pointwise } from './op.js'

export default [
  pointwise(['aten::add.Tensor', 'aten::add.Scalar'], {
    kernel: 'add',
    expr: 'a + alpha * b',
    boolExpr: 'a | (alpha & b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int', 'float', 'complex'],
  }),
  // Of fused groups, where alpha is 1.
  pointwise([], {
    kernel: 'plus',
    expr: 'a + b',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
