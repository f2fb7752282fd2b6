import { pointwise } from './op.js'

export default pointwise(['aten::atan', 'aten::arctan'], {
  kernel: 'atan',
  expr: 'atan(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
