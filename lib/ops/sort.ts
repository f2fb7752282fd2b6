import { kernel } from './op.js'

export default [kernel('aten::sort', 'sort'), kernel('aten::sort.stable', 'sort_stable')]
