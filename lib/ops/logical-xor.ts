import { pointwise } from './op.js'

export default pointwise('aten::logical_xor', {
  kernel: 'logical_xor',
  expr: '(a != 0) ^ (b != 0)',
  operands: { self: 'a', other: 'b' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
