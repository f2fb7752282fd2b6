import { pointwise } from './op.js'

export default pointwise('aten::log2', {
  kernel: 'log2',
  expr: 'log2(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
