import { kernel } from './op.js'

export default [kernel(['aten::dequantize.self', 'aten::dequantize.tensor'], 'dequantize', { mayReturnArgument: true })]
