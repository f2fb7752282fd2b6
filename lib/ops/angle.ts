import { pointwise } from './op.js'

export default pointwise('aten::angle', {
  kernel: 'angle',
  expr: 'is_nan(a) ? a : (a < 0 ? pi : 0)',
  complexExpr: 'angle(a)',
  operands: { self: 'a' },
  promotion: 'real',
  dtypes: ['float', 'complex'],
})
