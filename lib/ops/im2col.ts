import { kernel } from './op.js'

export default kernel('aten::im2col', 'im2col', { dtypeFrom: ['self'] })
