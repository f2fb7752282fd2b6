import { kernel } from './op.js'

export default kernel('aten::log_normal', 'log_normal')
