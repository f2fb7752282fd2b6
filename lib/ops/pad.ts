import { kernel } from './op.js'

export default [
  kernel('aten::pad', 'pad', { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps' }),
  kernel('aten::_pad_circular', 'circular_pad'),
]
