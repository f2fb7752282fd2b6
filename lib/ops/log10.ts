import { pointwise } from './op.js'

export default pointwise('aten::log10', {
  kernel: 'log10',
  expr: 'log10(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
