import { kernel } from './op.js'

export default kernel('aten::empty.memory_format', 'empty', { varies: true })
