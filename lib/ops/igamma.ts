import { pointwise } from './op.js'

export default pointwise(['aten::igamma', 'aten::special_gammainc'], {
  kernel: 'igamma',
  expr: 'igamma(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['float'],
})
