import { pointwise } from './op.js'

export default pointwise(['aten::expm1', 'aten::special_expm1'], {
  kernel: 'expm1',
  expr: 'expm1(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
