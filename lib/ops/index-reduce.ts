import { kernel } from './op.js'

export default kernel('aten::index_reduce', 'index_reduce')
