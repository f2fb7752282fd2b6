import { pointwise } from './op.js'

export default pointwise('aten::lerp.Scalar', {
  kernel: 'lerp_scalar',
  expr: 'weight < 0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight)',
  complexExpr: 'lerp(a, b, weight)',
  operands: { self: 'a', end: 'b' },
  promotion: 'same',
  dtypes: ['float', 'complex'],
})
