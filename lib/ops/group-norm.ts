import { kernel } from './op.js'

export default kernel('aten::group_norm', 'group_norm', { dtypeFrom: ['input'], rankOf: 'input' })
