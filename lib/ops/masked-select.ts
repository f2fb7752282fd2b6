import { kernel } from './op.js'

export default kernel('aten::masked_select', 'masked_select')
