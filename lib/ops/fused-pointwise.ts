import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/** The results of a group of pointwise operators (docs/fusion.md); lowering makes it, files do not hold it. */
registerSchema('torchscript::fused_pointwise(str program, ...) -> ...')
/** Whether `fused_pointwise` takes these arguments. */
registerSchema('torchscript::fusion_fits(str program, ...) -> bool')

export default kernel('torchscript::fused_pointwise', 'fused_pointwise')
