import { kernel } from './op.js'

export default kernel('aten::mkldnn_convolution', 'mkldnn_convolution')
