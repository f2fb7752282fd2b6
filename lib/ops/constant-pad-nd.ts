import { kernel } from './op.js'

export default kernel('aten::constant_pad_nd', 'constant_pad_nd', { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps' })
