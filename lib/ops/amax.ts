import { kernel } from './op.js'

export default kernel('aten::amax', 'amax', { dtypeFrom: ['self'], fuses: 'reduction' })
