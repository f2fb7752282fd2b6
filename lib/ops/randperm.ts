import { kernel } from './op.js'

export default [kernel('aten::randperm', 'randperm'), kernel('aten::randperm.generator', 'randperm_generator')]
