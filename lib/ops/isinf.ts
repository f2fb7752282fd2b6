import { pointwise } from './op.js'

export default pointwise('aten::isinf', {
  kernel: 'isinf',
  expr: 'is_inf(a)',
  intExpr: 'a != a',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
