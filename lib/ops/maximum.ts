import { pointwise } from './op.js'

export default pointwise(['aten::maximum', 'aten::max.other'], {
  kernel: 'maximum',
  expr: 'max_nan(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
