import { pointwise } from './op.js'

export default pointwise('aten::sin', {
  kernel: 'sin',
  expr: 'sin(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
