import { pointwise } from './op.js'

export default pointwise('aten::sign', {
  kernel: 'sign',
  expr: 'a > 0 ? 1 : (a < 0 ? -1 : 0)',
  boolExpr: 'a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
