import { kernel } from './op.js'

export default kernel('aten::instance_norm', 'instance_norm', { dtypeFrom: ['input'], rankOf: 'input' })
