import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/**
 * A pointwise convolution or the first of a network (none: the input is as wide already), a depthwise one of 3x3, and a pointwise one with a
 * residual, each with its activation, channels-last; passes make it, files do not hold it.
 */
registerSchema(
  'torchscript::bottleneck(Tensor input, Tensor? expand_weight, Tensor? expand_bias, str expand_activation, Tensor depthwise_weight, ' +
    'Tensor? depthwise_bias, int[] stride, int[] padding, str depthwise_activation, Tensor project_weight, Tensor? project_bias, ' +
    'Tensor? residual, str activation, int expand_stride, int expand_padding) -> Tensor',
)

export default kernel('torchscript::bottleneck', 'bottleneck', { dtypeFrom: ['project_weight'] })
