import { pointwise } from './op.js'

export default pointwise('aten::softplus', {
  kernel: 'softplus',
  expr: 'a * beta > threshold ? a : log1p(exp(a * beta)) / beta',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
