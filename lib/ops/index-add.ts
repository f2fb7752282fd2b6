import { kernel } from './op.js'

export default kernel('aten::index_add', 'index_add')
