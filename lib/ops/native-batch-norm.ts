import { kernel } from './op.js'

export default kernel(['aten::native_batch_norm', 'aten::_native_batch_norm_legit'], 'native_batch_norm')
