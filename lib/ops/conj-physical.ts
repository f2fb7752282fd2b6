import { pointwise } from './op.js'

export default pointwise(['aten::conj_physical', 'aten::_conj_physical'], {
  kernel: 'conj_physical',
  expr: 'a',
  complexExpr: 'conj(a)',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['bool', 'int', 'float', 'complex'],
})
