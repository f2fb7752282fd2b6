import { kernel } from './op.js'

export default kernel(['aten::replication_pad1d', 'aten::replication_pad2d', 'aten::replication_pad3d'], 'replication_pad', {
  dtypeFrom: ['self'],
  rankOf: 'self',
  layout: 'keeps',
})
