import { pointwise } from './op.js'

export default pointwise('aten::addcmul', {
  kernel: 'addcmul',
  expr: 'a + value * b * c',
  operands: { self: 'a', tensor1: 'b', tensor2: 'c' },
  promotion: 'same',
  dtypes: ['int', 'float', 'complex'],
})
