import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::pow.Tensor_Tensor', 'aten::pow.Tensor_Scalar', 'aten::pow.Scalar'], 'pow', {
    dtypeFrom: ['self', 'exponent'],
    fuses: 'pointwise',
  }),
  pointwise([], {
    kernel: 'pow_of',
    expr: 'pow(a, b)',
    operands: { self: 'a', exponent: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float', 'complex'],
  }),
  pointwise([], {
    kernel: 'cube',
    expr: 'a * a * a',
    operands: { self: 'a' },
    promotion: 'same',
    dtypes: ['int', 'float', 'complex'],
  }),
]
