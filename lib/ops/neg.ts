import { pointwise } from './op.js'

export default pointwise(['aten::neg', 'aten::negative'], {
  kernel: 'neg',
  expr: '-a',
  operands: { self: 'a' },
  promotion: 'same',
  dtypes: ['int', 'float', 'complex'],
})
