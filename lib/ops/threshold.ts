import { pointwise } from './op.js'

export default pointwise('aten::threshold', {
  kernel: 'threshold',
  expr: 'a <= threshold ? value : a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float'],
})
