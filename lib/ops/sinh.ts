import { pointwise } from './op.js'

export default pointwise('aten::sinh', {
  kernel: 'sinh',
  expr: 'sinh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
