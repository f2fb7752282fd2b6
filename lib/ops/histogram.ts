import { kernel } from './op.js'

export default kernel(['aten::histogram.bin_ct', 'aten::histogram.bins_tensor'], 'histogram')
