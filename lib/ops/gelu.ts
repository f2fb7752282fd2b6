import { kernel, pointwise } from './op.js'

export default [
  kernel('aten::gelu', 'gelu', 'pointwise'),
  pointwise([], {
    kernel: 'gelu_erf',
    expr: 'gelu(a)',
    operands: { self: 'a' },
    promotion: 'same',
    dtypes: ['float'],
  }),
  pointwise([], {
    kernel: 'gelu_tanh',
    expr: 'gelu_tanh(a)',
    operands: { self: 'a' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
