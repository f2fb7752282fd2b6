import { pointwise } from './op.js'

export default pointwise('aten::heaviside', {
  kernel: 'heaviside',
  expr: 'a == 0 ? b : (a > 0 ? 1 : 0)',
  intExpr: 'a == 0 ? b : (a > 0 ? 1 : 0)',
  operands: { self: 'a', values: 'b' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float'],
})
