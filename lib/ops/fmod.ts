import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::fmod.Tensor', 'aten::fmod.Scalar'], 'fmod', { dtypeFrom: ['self', 'other'], fuses: 'pointwise' }),
  pointwise([], {
    kernel: 'fmod_of',
    expr: 'fmod(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float'],
  }),
]
