import { kernel } from './op.js'

export default kernel('aten::fill_diagonal_', 'fill_diagonal')
