import { pointwise } from './op.js'

export default pointwise('aten::isnan', {
  kernel: 'isnan',
  expr: 'is_nan(a)',
  intExpr: 'a != a',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
