import { pointwise } from './op.js'

export default pointwise(['aten::copysign.Tensor', 'aten::copysign.Scalar'], {
  kernel: 'copysign',
  expr: 'copysign(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float'],
})
