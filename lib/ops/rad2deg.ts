import { pointwise } from './op.js'

export default pointwise('aten::rad2deg', {
  kernel: 'rad2deg',
  expr: 'a * 57.295779513082320877',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
