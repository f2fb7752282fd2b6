import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::div.Tensor_mode', 'aten::div.Scalar_mode', 'aten::divide.Tensor_mode', 'aten::divide.Scalar_mode'], 'div_mode', {
    dtypeFrom: ['self', 'other'],
    fuses: 'pointwise',
  }),
  pointwise([], {
    kernel: 'div_trunc',
    expr: 'trunc(a / b)',
    intExpr: 'trunc_div(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float'],
  }),
  pointwise([], {
    kernel: 'div_floor',
    expr: 'floor_div(a, b)',
    operands: { self: 'a', other: 'b' },
    promotion: 'same',
    dtypes: ['int', 'float'],
  }),
]
