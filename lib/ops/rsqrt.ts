import { pointwise } from './op.js'

export default pointwise('aten::rsqrt', {
  kernel: 'rsqrt',
  expr: '1 / sqrt(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
