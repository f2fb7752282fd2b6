import { kernel } from './op.js'

export default [kernel('aten::rnn_relu.input', 'rnn_relu_input'), kernel('aten::rnn_relu.data', 'rnn_relu_data')]
