import { pointwise } from './op.js'

export default pointwise(['aten::gt.Tensor', 'aten::gt.Scalar', 'aten::greater.Tensor', 'aten::greater.Scalar'], {
  kernel: 'gt',
  expr: 'a > b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
