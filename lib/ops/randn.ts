import { kernel } from './op.js'

export default [kernel('aten::randn', 'randn'), kernel('aten::randn.generator', 'randn_generator')]
