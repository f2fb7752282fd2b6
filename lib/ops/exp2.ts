import { pointwise } from './op.js'

export default pointwise(['aten::exp2', 'aten::special_exp2'], {
  kernel: 'exp2',
  expr: 'exp2(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
