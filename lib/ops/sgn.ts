import { pointwise } from './op.js'

export default pointwise('aten::sgn', {
  kernel: 'sgn',
  expr: 'a > 0 ? 1 : (a < 0 ? -1 : 0)',
  boolExpr: 'a',
  complexExpr: 'sgn(a)',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
