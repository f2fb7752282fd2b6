import { pointwise } from './op.js'

export default pointwise('aten::special_airy_ai', {
  kernel: 'special_airy_ai',
  expr: 'airy_ai(a)',
  operands: { x: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
