import { kernel, pointwise } from './op.js'

export default [
  kernel('aten::gelu', 'gelu', {
    dtypeFrom: ['self'],
    activation: [
      { name: 'gelu', when: { approximate: 'none' } },
      { name: 'gelu_tanh', when: { approximate: 'tanh' } },
    ],
    fuses: 'pointwise',
  }),
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
