import { kernel } from './op.js'

export default kernel('aten::batch_norm', 'batch_norm', { dtypeFrom: ['input'], rankOf: 'input', layout: 'keeps' })
