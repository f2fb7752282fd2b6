import { pointwise } from './op.js'

export default pointwise('aten::elu', {
  kernel: 'elu',
  expr: 'a < 0 ? expm1(a * input_scale) * (alpha * scale) : a * scale',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
