import { pointwise } from './op.js'

export default pointwise('aten::fmin', {
  kernel: 'fmin',
  expr: 'is_nan(a) ? b : (is_nan(b) ? a : min(a, b))',
  intExpr: 'min(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
