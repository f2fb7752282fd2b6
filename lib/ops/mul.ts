import { pointwise } from './op.js'

export default pointwise(['aten::mul.Tensor', 'aten::mul.Scalar', 'aten::multiply.Tensor', 'aten::multiply.Scalar'], {
  kernel: 'mul',
  expr: 'a * b',
  boolExpr: 'a & b',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
