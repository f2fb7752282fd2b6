import { kernel } from './op.js'

export default kernel(['aten::rms_norm', 'aten::_fused_rms_norm'], 'rms_norm', { dtypeFrom: ['input'], rankOf: 'input' })
