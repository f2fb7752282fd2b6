import { pointwise } from './op.js'

export default pointwise('aten::frac', {
  kernel: 'frac',
  expr: 'a - trunc(a)',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['float'],
})
