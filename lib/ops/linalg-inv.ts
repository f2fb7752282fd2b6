import { kernel } from './op.js'

export default [kernel(['aten::linalg_inv', 'aten::inverse'], 'linalg_inv'), kernel('aten::linalg_inv_ex', 'linalg_inv_ex')]
