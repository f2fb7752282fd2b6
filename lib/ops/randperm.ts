import { kernel } from './op.js'

export default [kernel('aten::randperm', 'randperm', { varies: true }), kernel('aten::randperm.generator', 'randperm_generator')]
