import { pointwise } from './op.js'

export default pointwise('aten::celu', {
  kernel: 'celu',
  expr: 'a > 0 ? a : alpha * expm1(a / alpha)',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
