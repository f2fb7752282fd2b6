import { kernel } from './op.js'

export default kernel('aten::lstm_cell', 'lstm_cell')
