import { kernel } from './op.js'

export default kernel('aten::index_select', 'index_select', { dtypeFrom: ['self'], rankOf: 'self' })
