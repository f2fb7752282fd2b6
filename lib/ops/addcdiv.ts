import { pointwise } from './op.js'

export default pointwise('aten::addcdiv', {
  kernel: 'addcdiv',
  expr: 'a + value * b / c',
  operands: { self: 'a', tensor1: 'b', tensor2: 'c' },
  promotion: 'same',
  dtypes: ['float', 'complex'],
})
