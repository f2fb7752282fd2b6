import { pointwise } from './op.js'

export default pointwise(['aten::sigmoid', 'aten::special_expit'], {
  kernel: 'sigmoid',
  expr: 'sigmoid(a)',
  operands: { self: 'a' },
  promotion: 'float',
  activation: [{ name: 'sigmoid' }],
  dtypes: ['float', 'complex'],
})
