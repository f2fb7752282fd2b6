import { kernel } from './op.js'

export default kernel('aten::bmm', 'bmm', { dtypeFrom: ['self'] })
