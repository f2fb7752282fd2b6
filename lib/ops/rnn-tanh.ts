import { kernel } from './op.js'

export default [kernel('aten::rnn_tanh.input', 'rnn_tanh_input'), kernel('aten::rnn_tanh.data', 'rnn_tanh_data')]
