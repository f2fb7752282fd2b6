import { kernel, pointwise } from './op.js'

export default [
  kernel('aten::polar', 'polar'),
  pointwise([], {
    kernel: 'polar_real',
    expr: 'a * cos(b)',
    operands: { abs: 'a', angle: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
  pointwise([], {
    kernel: 'polar_imag',
    expr: 'a * sin(b)',
    operands: { abs: 'a', angle: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
