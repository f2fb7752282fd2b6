import { pointwise } from './op.js'

export default pointwise(['aten::erfc', 'aten::special_erfc'], {
  kernel: 'erfc',
  expr: 'erfc(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
