import { pointwise } from './op.js'

export default pointwise(['aten::sinc', 'aten::special_sinc'], {
  kernel: 'sinc',
  expr: 'a == 0 ? 1 : sin(pi * a) / (pi * a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
