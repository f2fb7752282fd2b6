import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::round', 'aten::round.decimals', 'aten::special_round'], 'round', { dtypeFrom: ['self'], fuses: 'pointwise' }),
  pointwise([], {
    kernel: 'round_whole',
    expr: 'round_even(a)',
    intExpr: 'a',
    operands: { self: 'a' },
    promotion: 'same',
    dtypes: ['int', 'float'],
  }),
  pointwise([], {
    kernel: 'round_places',
    expr: 'round_even(a * s) / s',
    operands: { self: 'a' },
    params: { s: 's' },
    promotion: 'same',
    dtypes: ['float'],
  }),
  pointwise([], {
    kernel: 'round_tens',
    expr: 'round_even(a / s) * s',
    operands: { self: 'a' },
    params: { s: 's' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
