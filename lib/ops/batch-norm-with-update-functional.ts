import { kernel } from './op.js'

export default kernel('aten::_batch_norm_with_update_functional', 'batch_norm_with_update_functional')
