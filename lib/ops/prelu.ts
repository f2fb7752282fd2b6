import { kernel } from './op.js'

export default kernel('aten::prelu', 'prelu', { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps' })
