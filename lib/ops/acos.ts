import { pointwise } from './op.js'

export default pointwise(['aten::acos', 'aten::arccos'], {
  kernel: 'acos',
  expr: 'acos(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
