import { kernel } from './op.js'

export default [kernel('aten::rand_like', 'rand_like', { varies: true }), kernel('aten::rand_like.generator', 'rand_like_generator')]
