import { pointwise } from './op.js'

export default pointwise('aten::deg2rad', {
  kernel: 'deg2rad',
  expr: 'a * 0.017453292519943295769',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
