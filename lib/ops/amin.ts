import { kernel } from './op.js'

export default kernel('aten::amin', 'amin', { dtypeFrom: ['self'], fuses: 'reduction' })
