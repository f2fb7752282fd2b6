import { pointwise } from './op.js'

export default pointwise('aten::fmax', {
  kernel: 'fmax',
  expr: 'is_nan(a) ? b : (is_nan(b) ? a : max(a, b))',
  intExpr: 'max(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
