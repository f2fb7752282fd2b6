import { kernel } from './op.js'

export default [kernel('aten::upsample_bicubic2d', 'upsample_cubic'), kernel('aten::upsample_bicubic2d.vec', 'upsample_cubic_vec')]
