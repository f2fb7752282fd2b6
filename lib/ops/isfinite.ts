import { pointwise } from './op.js'

export default pointwise('aten::isfinite', {
  kernel: 'isfinite',
  expr: '!is_nan(a) && !is_inf(a)',
  intExpr: 'a == a',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
