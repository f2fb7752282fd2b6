import { pointwise } from './op.js'

export default pointwise(['aten::rsub.Tensor', 'aten::rsub.Scalar'], {
  kernel: 'rsub',
  expr: 'b - alpha * a',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['int', 'float', 'complex'],
})
