import { pointwise } from './op.js'

export default pointwise(['aten::acosh', 'aten::arccosh'], {
  kernel: 'acosh',
  expr: 'acosh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
