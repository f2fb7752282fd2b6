import { pointwise } from './op.js'

export default pointwise('aten::silu', {
  kernel: 'silu',
  expr: 'silu(a)',
  complexExpr: 'a / (1 + exp(-a))',
  operands: { self: 'a' },
  promotion: 'same',
  activation: [{ name: 'silu' }],
  dtypes: ['float', 'complex'],
})
