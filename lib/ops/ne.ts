import { pointwise } from './op.js'

export default pointwise(['aten::ne.Tensor', 'aten::ne.Scalar', 'aten::not_equal.Tensor', 'aten::not_equal.Scalar'], {
  kernel: 'ne',
  expr: 'a != b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
