import { pointwise } from './op.js'

export default pointwise(['aten::log1p', 'aten::special_log1p'], {
  kernel: 'log1p',
  expr: 'log1p(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
