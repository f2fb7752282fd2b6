import { kernel } from './op.js'

export default kernel('aten::adaptive_max_pool2d', 'adaptive_max_pool2d', {
  dtypeFrom: ['self'],
  rankOf: 'self',
  layout: 'keeps',
  shrinks: true,
})
