import { kernel } from './op.js'

export default kernel('aten::gru_cell', 'gru_cell')
