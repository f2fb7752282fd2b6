import { pointwise } from './op.js'

export default pointwise(['aten::erf', 'aten::special_erf'], {
  kernel: 'erf',
  expr: 'erf(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
