import { kernel } from './op.js'

export default [
  kernel('aten::_upsample_bilinear2d_aa', 'upsample_linear_aa'),
  kernel('aten::_upsample_bilinear2d_aa.vec', 'upsample_linear_aa_vec'),
  kernel('aten::_upsample_bicubic2d_aa', 'upsample_cubic_aa'),
  kernel('aten::_upsample_bicubic2d_aa.vec', 'upsample_cubic_aa_vec'),
  kernel('aten::_upsample_lanczos2d_aa', 'upsample_lanczos_aa'),
  kernel('aten::_upsample_lanczos2d_aa.vec', 'upsample_lanczos_aa_vec'),
]
