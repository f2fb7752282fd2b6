import { pointwise } from './op.js'

export default pointwise(['aten::masked_fill.Scalar', 'aten::masked_fill.Tensor'], {
  kernel: 'masked_fill',
  expr: 'c ? value : a',
  operands: { self: 'a', mask: 'c' },
  conditions: ['c'],
  promotion: 'same',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
