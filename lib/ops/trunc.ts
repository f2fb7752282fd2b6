import { pointwise } from './op.js'

export default pointwise(['aten::trunc', 'aten::fix'], {
  kernel: 'trunc',
  expr: 'trunc(a)',
  intExpr: 'a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float'],
})
