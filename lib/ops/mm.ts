import { kernel } from './op.js'

export default kernel('aten::mm', 'mm', { dtypeFrom: ['self'] })
