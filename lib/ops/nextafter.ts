import { pointwise } from './op.js'

export default pointwise('aten::nextafter', {
  kernel: 'nextafter',
  expr: 'nextafter(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['float'],
})
