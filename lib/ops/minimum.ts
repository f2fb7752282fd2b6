import { pointwise } from './op.js'

export default pointwise(['aten::minimum', 'aten::min.other'], {
  kernel: 'minimum',
  expr: 'min_nan(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
