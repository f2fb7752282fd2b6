import { kernel } from './op.js'

export default kernel('aten::tril_indices', 'tril_indices')
