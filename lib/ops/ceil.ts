import { pointwise } from './op.js'

export default pointwise('aten::ceil', {
  kernel: 'ceil',
  expr: 'ceil(a)',
  intExpr: 'a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float'],
})
