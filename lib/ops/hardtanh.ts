import { pointwise } from './op.js'

export default pointwise('aten::hardtanh', {
  kernel: 'hardtanh',
  expr: 'a < min_val ? min_val : (a > max_val ? max_val : a)',
  operands: { self: 'a' },
  promotion: 'same',
  activation: [{ name: 'relu6', when: { min_val: 0, max_val: 6 } }],
  dtypes: ['int', 'float'],
})
