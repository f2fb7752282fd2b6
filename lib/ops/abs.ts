import { pointwise } from './op.js'

export default pointwise(['aten::abs', 'aten::absolute'], {
  kernel: 'abs',
  expr: 'abs(a)',
  operands: { self: 'a' },
  promotion: 'real',
  dtypes: ['int', 'float', 'complex'],
})
