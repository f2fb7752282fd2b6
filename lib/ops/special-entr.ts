import { pointwise } from './op.js'

export default pointwise('aten::special_entr', {
  kernel: 'special_entr',
  expr: 'is_nan(a) ? a : (a > 0 ? -a * log(a) : (a == 0 ? 0 : -inf))',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
