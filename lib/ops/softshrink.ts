import { pointwise } from './op.js'

export default pointwise('aten::softshrink', {
  kernel: 'softshrink',
  expr: 'a > lambd ? a - lambd : (a < -lambd ? a + lambd : a * 0)',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
