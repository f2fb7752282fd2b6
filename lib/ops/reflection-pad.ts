import { kernel } from './op.js'

export default kernel(['aten::reflection_pad1d', 'aten::reflection_pad2d', 'aten::reflection_pad3d'], 'reflection_pad', {
  dtypeFrom: ['self'],
  rankOf: 'self',
  layout: 'keeps',
})
