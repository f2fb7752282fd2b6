import { kernel } from './op.js'

export default kernel('aten::native_layer_norm', 'native_layer_norm')
