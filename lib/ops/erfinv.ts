import { pointwise } from './op.js'

export default pointwise(['aten::erfinv', 'aten::special_erfinv'], {
  kernel: 'erfinv',
  expr: 'erfinv(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
