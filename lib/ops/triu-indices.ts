import { kernel } from './op.js'

export default kernel('aten::triu_indices', 'triu_indices')
