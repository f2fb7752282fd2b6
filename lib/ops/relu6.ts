import { pointwise } from './op.js'

export default pointwise('aten::relu6', {
  kernel: 'relu6',
  expr: 'a < 0 ? 0 : (a > 6 ? 6 : a)',
  operands: { self: 'a' },
  promotion: 'same',
  activation: [{ name: 'relu6' }],
  dtypes: ['int', 'float'],
})
