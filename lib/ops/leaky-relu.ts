import { pointwise } from './op.js'

export default pointwise('aten::leaky_relu', {
  kernel: 'leaky_relu',
  expr: 'a > 0 ? a : a * negative_slope',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
