import { kernel } from './op.js'

export default kernel('aten::amax', 'amax', 'reduction')
