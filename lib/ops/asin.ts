import { pointwise } from './op.js'

export default pointwise(['aten::asin', 'aten::arcsin'], {
  kernel: 'asin',
  expr: 'asin(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
