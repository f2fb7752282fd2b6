import { kernel } from './op.js'

export default kernel('aten::rnn_tanh_cell', 'rnn_tanh_cell')
