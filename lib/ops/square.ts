import { pointwise } from './op.js'

export default pointwise('aten::square', {
  kernel: 'square',
  expr: 'a * a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float', 'complex'],
})
