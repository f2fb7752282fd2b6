import { kernel } from './op.js'

export default kernel('aten::_pack_padded_sequence', 'pack_padded_sequence')
