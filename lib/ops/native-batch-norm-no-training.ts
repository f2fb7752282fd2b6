import { kernel } from './op.js'

export default kernel('aten::_native_batch_norm_legit_no_training', 'native_batch_norm_no_training')
