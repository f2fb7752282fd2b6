import { pointwise } from './op.js'

export default pointwise(['aten::where.self', 'aten::where.ScalarOther', 'aten::where.ScalarSelf', 'aten::where.Scalar'], {
  kernel: 'where',
  expr: 'c ? a : b',
  operands: { condition: 'c', self: 'a', other: 'b' },
  conditions: ['c'],
  promotion: 'same',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
