import { kernel } from './op.js'

export default kernel(['aten::cat', 'aten::concat', 'aten::concatenate'], 'cat', {
  dtypeFrom: ['tensors'],
  rankOf: 'tensors',
  layout: 'joins',
})
