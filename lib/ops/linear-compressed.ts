import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/**
 * activation(linear(input, weight, bias) + residual) with packed weights of `storage`, float16 or bfloat16; `transposed` says that the weight is
 * [in, out]. Passes make it, files do not hold it.
 */
registerSchema(
  'torchscript::linear_compressed(Tensor input, Tensor weight, Tensor? bias, Tensor? residual, str activation, str storage, bool transposed) -> Tensor',
)

export default kernel('torchscript::linear_compressed', 'linear_compressed', { dtypeFrom: ['weight'] })
