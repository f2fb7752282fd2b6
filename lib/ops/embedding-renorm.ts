import { kernel } from './op.js'

export default kernel('aten::embedding_renorm', 'embedding_renorm')
