import { kernel } from './op.js'

export default kernel(['aten::logsumexp', 'aten::special_logsumexp'], 'logsumexp')
