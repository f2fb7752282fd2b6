import { kernel } from './op.js'

export default [kernel('aten::randn_like', 'randn_like', { varies: true }), kernel('aten::randn_like.generator', 'randn_like_generator')]
