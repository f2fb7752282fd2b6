import { pointwise } from './op.js'

export default pointwise('aten::isreal', {
  kernel: 'isreal',
  expr: 'a == a || a != a',
  complexExpr: 'is_real(a)',
  operands: { self: 'a' },
  promotion: 'bool',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
