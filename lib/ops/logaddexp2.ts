import { pointwise } from './op.js'

export default pointwise('aten::logaddexp2', {
  kernel: 'logaddexp2',
  expr: 'is_inf(a) && a == b ? a : max_nan(a, b) + log1p(exp2(-abs(a - b))) * 1.44269504088896340736',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float'],
})
