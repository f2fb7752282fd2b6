import { pointwise } from './op.js'

export default pointwise('aten::hardshrink', {
  kernel: 'hardshrink',
  expr: 'a >= -lambd && a <= lambd ? 0 : a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
