import { kernel } from './op.js'

export default kernel('aten::embedding', 'embedding', { dtypeFrom: ['weight'] })
