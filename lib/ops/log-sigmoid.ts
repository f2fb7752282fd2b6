import { pointwise } from './op.js'

export default pointwise('aten::log_sigmoid', {
  kernel: 'log_sigmoid',
  expr: 'is_nan(a) ? a : (a < 0 ? a : 0) - log1p(exp(-abs(a)))',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
