import { kernel } from './op.js'

export default kernel('aten::masked_scatter', 'masked_scatter')
