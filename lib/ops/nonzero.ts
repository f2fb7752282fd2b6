import { kernel } from './op.js'

export default kernel(['aten::nonzero', 'aten::argwhere'], 'nonzero')
