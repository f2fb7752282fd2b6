import { pointwise } from './op.js'

export default pointwise('aten::hypot', {
  kernel: 'hypot',
  expr: 'hypot(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['float'],
})
