import { pointwise } from './op.js'

export default pointwise(['aten::igammac', 'aten::special_gammaincc'], {
  kernel: 'igammac',
  expr: 'igammac(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['float'],
})
