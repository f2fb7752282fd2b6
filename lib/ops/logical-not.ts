import { pointwise } from './op.js'

export default pointwise('aten::logical_not', {
  kernel: 'logical_not',
  expr: 'a == 0',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
