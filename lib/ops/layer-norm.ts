import { kernel } from './op.js'

export default kernel('aten::layer_norm', 'layer_norm', { dtypeFrom: ['input'], shapeOf: 'input' })
