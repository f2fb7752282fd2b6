import { kernel } from './op.js'

export default kernel('aten::native_group_norm', 'native_group_norm')
