import { kernel } from './op.js'

export default kernel('aten::col2im', 'col2im')
