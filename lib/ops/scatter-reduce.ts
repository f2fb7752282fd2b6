import { kernel } from './op.js'

export default kernel('aten::scatter_reduce.two', 'scatter_reduce')
