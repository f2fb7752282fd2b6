import { kernel } from './op.js'

export default kernel(['aten::zeros_like', 'aten::empty_like'], 'zeros_like')
