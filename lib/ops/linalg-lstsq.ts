import { kernel } from './op.js'

export default kernel('aten::linalg_lstsq', 'linalg_lstsq')
