import { pointwise } from './op.js'

export default pointwise('aten::isposinf', {
  kernel: 'isposinf',
  expr: 'a == inf',
  intExpr: 'a != a',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
