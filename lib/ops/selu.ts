import { pointwise } from './op.js'

export default pointwise('aten::selu', {
  kernel: 'selu',
  expr: 'a < 0 ? expm1(a) * 1.7580993408473766 : a * 1.0507009873554805',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
