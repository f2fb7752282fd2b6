import { pointwise } from './op.js'

export default pointwise('aten::relu', {
  kernel: 'relu',
  expr: 'a < 0 ? 0 : a',
  operands: { self: 'a' },
  promotion: 'same',
  activation: [{ name: 'relu' }],
  dtypes: ['int', 'float'],
})
