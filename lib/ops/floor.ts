import { pointwise } from './op.js'

export default pointwise('aten::floor', {
  kernel: 'floor',
  expr: 'floor(a)',
  intExpr: 'a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float'],
})
