import { pointwise } from './op.js'

export default pointwise('aten::special_log_ndtr', {
  kernel: 'special_log_ndtr',
  expr: 'log_ndtr(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
