import { pointwise } from './op.js'

export default pointwise(['aten::special_zeta', 'aten::special_zeta.self_scalar', 'aten::special_zeta.other_scalar'], {
  kernel: 'special_zeta',
  expr: 'zeta(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float'],
})
