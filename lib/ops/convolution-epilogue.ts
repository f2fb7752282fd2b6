import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/** activation(convolution(input, weight, bias) + residual), channels-last if so told; passes make it, files do not hold it. */
registerSchema(
  'torchscript::convolution_epilogue(Tensor input, Tensor weight, Tensor? bias, int[] stride=1, int[] padding=0, int[] dilation=1, ' +
    'bool transposed=False, int[] output_padding=0, int groups=1, Tensor? residual=None, str activation="", bool channels_last=False) -> Tensor',
)

/**
 * Whether channels-last results are computed in that order: weights [outputs, inputs, height, width], of transposed ones [inputs, outputs, ...]. Not where
 * several outputs read one channel, and not of transposed ones with groups.
 */
export const hasChannelsLastKernel = (
  weight: { readonly dtype: string; readonly shape: readonly number[] },
  { groups, transposed }: { readonly groups: number; readonly transposed: boolean },
): boolean =>
  (weight.dtype === 'float32' || weight.dtype === 'float16' || weight.dtype === 'bfloat16') &&
  weight.shape.length === 4 &&
  (groups === 1 || (!transposed && (groups === weight.shape[0] || weight.shape[1] > 1)))

export default kernel('torchscript::convolution_epilogue', 'convolution_epilogue', {
  dtypeFrom: ['weight'],
  convolution: { groups: 'groups', transposed: 'transposed' },
})
