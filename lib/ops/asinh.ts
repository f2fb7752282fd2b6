import { pointwise } from './op.js'

export default pointwise(['aten::asinh', 'aten::arcsinh'], {
  kernel: 'asinh',
  expr: 'asinh(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float', 'complex'],
})
