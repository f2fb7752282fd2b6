import { pointwise } from './op.js'

export default pointwise(['aten::atanh', 'aten::arctanh'], {
  kernel: 'atanh',
  expr: 'atanh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
