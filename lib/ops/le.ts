import { pointwise } from './op.js'

export default pointwise(['aten::le.Tensor', 'aten::le.Scalar', 'aten::less_equal.Tensor', 'aten::less_equal.Scalar'], {
  kernel: 'le',
  expr: 'a <= b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
