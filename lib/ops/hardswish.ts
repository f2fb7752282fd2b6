import { pointwise } from './op.js'

export default pointwise('aten::hardswish', {
  kernel: 'hardswish',
  expr: 'a * (a + 3 < 0 ? 0 : (a + 3 > 6 ? 6 : a + 3)) / 6',
  operands: { self: 'a' },
  promotion: 'same',
  activation: [{ name: 'hardswish' }],
  dtypes: ['float'],
})
