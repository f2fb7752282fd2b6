import { pointwise } from './op.js'

export default pointwise(['aten::special_xlog1py', 'aten::special_xlog1py.other_scalar', 'aten::special_xlog1py.self_scalar'], {
  kernel: 'special_xlog1py',
  expr: 'is_nan(b) ? b : (a == 0 ? 0 : a * log1p(b))',
  operands: { self: 'a', other: 'b' },
  promotion: 'float',
  dtypes: ['float'],
})
