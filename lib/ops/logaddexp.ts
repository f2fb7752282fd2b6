import { pointwise } from './op.js'

export default pointwise('aten::logaddexp', {
  kernel: 'logaddexp',
  expr: 'is_inf(a) && a == b ? a : max_nan(a, b) + log1p(exp(-abs(a - b)))',
  complexExpr: 'logaddexp(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
