import { kernel } from './op.js'

export default kernel('aten::scatter_add', 'scatter_add')
