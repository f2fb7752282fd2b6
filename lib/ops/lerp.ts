import { pointwise } from './op.js'

export default pointwise('aten::lerp.Tensor', {
  kernel: 'lerp',
  expr: 'w < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w)',
  complexExpr: 'lerp(a, b, w)',
  operands: { self: 'a', end: 'b', weight: 'w' },
  promotion: 'same',
  dtypes: ['float', 'complex'],
})
