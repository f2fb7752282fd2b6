import { pointwise } from './op.js'

export default pointwise('aten::tan', {
  kernel: 'tan',
  expr: 'tan(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
