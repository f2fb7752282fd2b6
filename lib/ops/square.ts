import { kernel, pointwise } from './op.js'

export default [
  kernel('aten::square', 'square_of', { dtypeFrom: ['self'], fuses: 'pointwise' }),
  pointwise([], {
    kernel: 'square',
    expr: 'a * a',
    operands: { self: 'a' },
    promotion: 'same',
    dtypes: ['int', 'float', 'complex'],
  }),
]
