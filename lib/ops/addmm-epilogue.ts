import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/** activation(view(addmm(bias, mat1, mat2), shape) + residual), without the view where `shape` is None; passes make it, files do not hold it. */
registerSchema(
  'torchscript::addmm_epilogue(Tensor bias, Tensor mat1, Tensor mat2, int[]? shape=None, Tensor? residual=None, str activation="") -> Tensor',
)

export default kernel('torchscript::addmm_epilogue', 'addmm_epilogue', { dtypeFrom: ['mat2'] })
