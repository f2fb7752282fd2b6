import { kernel } from './op.js'

export default [
  kernel('aten::upsample_bicubic2d', 'upsample_cubic', { dtypeFrom: ['self'], rankOf: 'self', layout: 'keeps' }),
  kernel('aten::upsample_bicubic2d.vec', 'upsample_cubic_vec', { dtypeFrom: ['input'], rankOf: 'input', layout: 'keeps' }),
]
