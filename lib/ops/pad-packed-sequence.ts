import { kernel } from './op.js'

export default kernel('aten::_pad_packed_sequence', 'pad_packed_sequence')
