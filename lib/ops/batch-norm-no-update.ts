import { kernel } from './op.js'

export default kernel('aten::_batch_norm_no_update', 'batch_norm_no_update')
