import { pointwise } from './op.js'

export default pointwise(['aten::atan2', 'aten::arctan2'], {
  kernel: 'atan2',
  expr: 'atan2(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float'],
})
