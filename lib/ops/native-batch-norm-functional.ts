import { kernel } from './op.js'

export default kernel('aten::_native_batch_norm_legit_functional', 'native_batch_norm_functional')
