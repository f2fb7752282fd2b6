import { pointwise } from './op.js'

export default pointwise('aten::_prelu_kernel', {
  kernel: 'prelu_kernel',
  expr: 'a > 0 ? a : a * b',
  operands: { self: 'a', weight: 'b' },
  promotion: 'same',
  dtypes: ['float'],
})
