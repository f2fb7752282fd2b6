import { kernel } from './op.js'

export default [kernel('aten::randn', 'randn', { varies: true }), kernel('aten::randn.generator', 'randn_generator')]
