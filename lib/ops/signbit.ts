import { pointwise } from './op.js'

export default pointwise('aten::signbit', {
  kernel: 'signbit',
  expr: 'copysign(1, a) < 0',
  intExpr: 'a < 0',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
