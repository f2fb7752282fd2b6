import { pointwise } from './op.js'

export default pointwise('aten::lcm', {
  kernel: 'lcm',
  expr: 'lcm(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['int'],
})
