import { pointwise } from './op.js'

export default pointwise(['aten::i0', 'aten::special_i0'], {
  kernel: 'i0',
  expr: 'i0(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
