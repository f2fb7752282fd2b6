import { pointwise } from './op.js'

export default pointwise(['aten::eq.Tensor', 'aten::eq.Scalar'], {
  kernel: 'eq',
  expr: 'a == b',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
