import { kernel } from './op.js'

export default [kernel('aten::rand', 'rand', { varies: true }), kernel('aten::rand.generator', 'rand_generator')]
