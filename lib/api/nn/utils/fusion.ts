import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { deepCopy } from '../copy.js'
import { converted, op } from '../eager.js'
import type { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../layers/conv.js'
import type { Linear } from '../layers/linear.js'
import type { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../layers/normalization.js'
import { Parameter } from '../parameter.js'

type Conv = Conv1d | Conv2d | Conv3d | ConvTranspose1d | ConvTranspose2d | ConvTranspose3d
type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d

const withGradOf = (value: Tensor, source: Tensor | null): Parameter =>
  new Parameter(converted(value, source?.dtype ?? value.dtype), { requiresGrad: source?.requiresGrad ?? false })

/**
 * Weight and bias of a convolution that computes what one and the batch normalization after it do with running statistics. `transpose`: the
 * second dimension of the weight has the outputs, as in transposed convolutions.
 */
export function fuseConvBnWeights(
  convWeight: Tensor,
  convBias: Tensor | null,
  runningMean: Tensor,
  runningVar: Tensor,
  eps: number,
  bnWeight: Tensor | null,
  bnBias: Tensor | null,
  transpose = false,
): [weight: Parameter, bias: Parameter] {
  const inverse = op('rsqrt', op('add', runningVar, eps))
  const scale = bnWeight === null ? inverse : op('mul', bnWeight, inverse)
  const shape = convWeight.shape.map((_, dim) => (dim === (transpose ? 1 : 0) ? -1 : 1))
  const centred = op('sub', convBias ?? op('zeros_like', runningMean), runningMean)
  const scaled = op('mul', centred, inverse)
  const shifted = op('add', bnWeight === null ? scaled : op('mul', scaled, bnWeight), bnBias ?? op('zeros_like', runningMean))
  return [
    withGradOf(op('mul', convWeight, op('reshape', scale, shape)), convWeight),
    // Without a bias of its own the convolution's dtype counts.
    convBias === null ? withGradOf(converted(shifted, convWeight.dtype), null) : withGradOf(shifted, convBias),
  ]
}

/** Weight and bias of a linear layer that computes what one and the batch normalization after it do with running statistics. */
export function fuseLinearBnWeights(
  linearWeight: Tensor,
  linearBias: Tensor | null,
  runningMean: Tensor,
  runningVar: Tensor,
  eps: number,
  bnWeight: Tensor | null,
  bnBias: Tensor | null,
): [weight: Parameter, bias: Parameter] {
  const inverse = op('rsqrt', op('add', runningVar, eps))
  const scale = bnWeight === null ? inverse : op('mul', bnWeight, inverse)
  const centred = op('sub', linearBias ?? op('zeros_like', runningMean), runningMean)
  const shifted = op('add', op('mul', centred, scale), bnBias ?? op('zeros_like', runningMean))
  return [
    withGradOf(op('mul', linearWeight, converted(op('unsqueeze', scale, -1), linearWeight.dtype)), linearWeight),
    linearBias === null ? withGradOf(converted(shifted, linearWeight.dtype), null) : withGradOf(shifted, linearBias),
  ]
}

/** The running statistics of a normalization that uses them. */
function statisticsOf({ runningMean, runningVar, training }: BatchNorm): [mean: Tensor, variance: Tensor] {
  if (runningMean === null || runningVar === null || training)
    throw new ArgumentError('Fusion needs a batch normalization in eval mode with running statistics')
  return [runningMean, runningVar]
}
function withWeights<T extends Conv | Linear>(layer: T, [weight, bias]: [Parameter, Parameter]): T {
  const made = deepCopy(layer)
  made.weight = weight
  made.bias = bias
  return made
}

/** One convolution that computes what a convolution and the batch normalization after it do in eval mode. `transpose` for transposed ones. */
export const fuseConvBnEval = <T extends Conv>(conv: T, norm: BatchNorm, transpose = false): T =>
  withWeights(conv, fuseConvBnWeights(conv.weight, conv.bias, ...statisticsOf(norm), norm.eps, norm.weight, norm.bias, transpose))

/** One linear layer that computes what a linear layer and the batch normalization after it do in eval mode. */
export function fuseLinearBnEval(linear: Linear, norm: BatchNorm): Linear {
  const statistics = statisticsOf(norm)
  if (linear.outFeatures !== norm.numFeatures && norm.numFeatures !== 1)
    throw new ArgumentError(
      `To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features=${linear.outFeatures} and bn.num_features=${norm.numFeatures}`,
    )
  return withWeights(linear, fuseLinearBnWeights(linear.weight, linear.bias, ...statistics, norm.eps, norm.weight, norm.bias))
}
