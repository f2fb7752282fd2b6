import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/** activation(linear(input, weight, bias) + residual); passes make it, files do not hold it. */
registerSchema(
  'torchscript::linear_epilogue(Tensor input, Tensor weight, Tensor? bias, Tensor? residual=None, str activation="") -> Tensor',
)

export default kernel('torchscript::linear_epilogue', 'linear_epilogue', { dtypeFrom: ['weight'] })
