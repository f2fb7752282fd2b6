import { pointwise } from './op.js'

export default pointwise('aten::special_erfcx', {
  kernel: 'special_erfcx',
  expr: 'erfcx(a)',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
