import { pointwise } from './op.js'

export default pointwise([], {
  kernel: 'positive',
  expr: 'a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float', 'complex'],
})
