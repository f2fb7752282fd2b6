import { kernel } from './op.js'

export default [kernel('aten::lstm.input', 'lstm_input'), kernel('aten::lstm.data', 'lstm_data')]
