import { kernel, pointwise } from './op.js'

export default [
  kernel(['aten::clamp', 'aten::clamp.Tensor', 'aten::clip', 'aten::clip.Tensor'], 'clamp', {
    dtypeFrom: ['self', 'min', 'max'],
    activation: [{ name: 'relu6', when: { min: 0, max: 6 } }],
    fuses: 'pointwise',
  }),
  pointwise([], {
    kernel: 'clamp_lower',
    expr: 'max_nan(a, b)',
    operands: { self: 'a', min: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int', 'float'],
  }),
  pointwise([], {
    kernel: 'clamp_upper',
    expr: 'min_nan(a, b)',
    operands: { self: 'a', max: 'b' },
    promotion: 'same',
    dtypes: ['bool', 'int', 'float'],
  }),
  pointwise([], {
    kernel: 'clamp_both',
    expr: 'min_nan(max_nan(a, b), c)',
    operands: { self: 'a', min: 'b', max: 'c' },
    promotion: 'same',
    dtypes: ['bool', 'int', 'float'],
  }),
  // Of fused groups, where bounds are numbers other than zero and NaN: these give the same bits with less.
  pointwise([], {
    kernel: 'clamp_above',
    expr: 'max(b, a)',
    operands: { self: 'a', min: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
  pointwise([], {
    kernel: 'clamp_below',
    expr: 'min(b, a)',
    operands: { self: 'a', max: 'b' },
    promotion: 'same',
    dtypes: ['float'],
  }),
  pointwise([], {
    kernel: 'clamp_within',
    expr: 'min(c, max(b, a))',
    operands: { self: 'a', min: 'b', max: 'c' },
    promotion: 'same',
    dtypes: ['float'],
  }),
]
