import { kernel } from './op.js'

export default kernel('aten::linear', 'linear', { dtypeFrom: ['weight'], rankOf: 'input' })
