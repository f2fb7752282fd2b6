import { kernel } from './op.js'

export default kernel('aten::_convolution_mode', 'convolution_mode', { dtypeFrom: ['input'], rankOf: 'input' })
