import { kernel } from './op.js'

export default kernel('aten::index_copy', 'index_copy')
