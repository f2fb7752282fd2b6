import { kernel } from './op.js'

export default kernel('aten::repeat', 'repeat', { dtypeFrom: ['self'] })
