import { pointwise } from './op.js'

export default pointwise('aten::isneginf', {
  kernel: 'isneginf',
  expr: 'a == -inf',
  intExpr: 'a != a',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float'],
})
