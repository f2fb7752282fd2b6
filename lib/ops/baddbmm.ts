import { kernel } from './op.js'

export default kernel('aten::baddbmm', 'baddbmm', { dtypeFrom: ['batch1'] })
