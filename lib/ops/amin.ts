import { kernel } from './op.js'

export default kernel('aten::amin', 'amin', 'reduction')
