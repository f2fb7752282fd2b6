import { pointwise } from './op.js'

export default pointwise('aten::tanh', {
  kernel: 'tanh',
  expr: 'tanh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  activation: [{ name: 'tanh' }],
  dtypes: ['float', 'complex'],
})
