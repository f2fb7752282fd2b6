import { kernel } from './op.js'

export default kernel(['aten::clamp_max', 'aten::clamp_max.Tensor'], 'clamp_max', { dtypeFrom: ['self', 'max'], fuses: 'pointwise' })
