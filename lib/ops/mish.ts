import { pointwise } from './op.js'

export default pointwise('aten::mish', {
  kernel: 'mish',
  expr: 'a > 20 ? a : a * tanh(log1p(exp(a)))',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
