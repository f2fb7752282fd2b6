import { kernel } from './op.js'

export default [kernel('aten::rand', 'rand'), kernel('aten::rand.generator', 'rand_generator')]
