import { kernel } from './op.js'

export default kernel('aten::addmm', 'addmm', { dtypeFrom: ['mat2'] })
