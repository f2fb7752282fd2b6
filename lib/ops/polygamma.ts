import { pointwise } from './op.js'

export default pointwise(['aten::polygamma', 'aten::special_polygamma'], {
  kernel: 'polygamma',
  expr: 'polygamma(n, a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
