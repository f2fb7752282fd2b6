import { kernel } from './op.js'

export default [kernel('aten::gru.input', 'gru_input'), kernel('aten::gru.data', 'gru_data')]
