import { kernel } from './op.js'

export default kernel('aten::linalg_vector_norm', 'vector_norm')
