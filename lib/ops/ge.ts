import { pointwise } from './op.js'

export default pointwise(['aten::ge.Tensor', 'aten::ge.Scalar', 'aten::greater_equal.Tensor', 'aten::greater_equal.Scalar'], {
  kernel: 'ge',
  expr: 'a >= b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
