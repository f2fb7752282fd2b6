import { pointwise } from './op.js'

export default pointwise('aten::bitwise_not', {
  kernel: 'bitwise_not',
  expr: '~a',
  boolExpr: '1 - a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['bool', 'int'],
})
