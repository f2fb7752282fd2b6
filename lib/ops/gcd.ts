import { pointwise } from './op.js'

export default pointwise('aten::gcd', {
  kernel: 'gcd',
  expr: 'gcd(a, b)',
  operands: { self: 'a', other: 'b' },
  promotion: 'same',
  dtypes: ['int'],
})
