import { kernel } from './op.js'

export default kernel('aten::rnn_relu_cell', 'rnn_relu_cell')
