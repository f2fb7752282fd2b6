import { kernel } from './op.js'

export default kernel('aten::segment_reduce', 'segment_reduce')
