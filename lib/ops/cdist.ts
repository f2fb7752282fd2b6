import { kernel } from './op.js'

export default kernel(['aten::cdist', 'aten::_cdist_forward'], 'cdist')
