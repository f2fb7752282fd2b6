import { pointwise } from './op.js'

export default pointwise(['aten::lt.Tensor', 'aten::lt.Scalar', 'aten::less.Tensor', 'aten::less.Scalar'], {
  kernel: 'lt',
  expr: 'a < b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
