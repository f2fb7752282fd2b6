import { kernel } from './op.js'

export default kernel(['aten::clamp_min', 'aten::clamp_min.Tensor'], 'clamp_min', { dtypeFrom: ['self', 'min'], fuses: 'pointwise' })
