import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/** activation(convolution(input, weight, bias) + residual), channels-last if so told; passes make it, files do not hold it. */
registerSchema(
  'torchscript::convolution_epilogue(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, ' +
    'bool transposed, int[] output_padding, int groups, Tensor? residual, str activation, bool channels_last) -> Tensor',
)

export default kernel('torchscript::convolution_epilogue', 'convolution_epilogue')
