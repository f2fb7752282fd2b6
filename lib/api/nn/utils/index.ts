import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { deepCopy } from '../copy.js'
import { copyInto, op } from '../eager.js'
import type { Conv1d, Conv2d, Conv3d } from '../layers/conv.js'
import type { Linear } from '../layers/linear.js'
import type { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../layers/normalization.js'
import { Parameter } from '../parameter.js'

export * as parametrizations from './parametrizations.js'
export * as parametrize from './parametrize.js'
export * as rnn from './rnn.js'
export { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from './weights.js'
export type { SpectralNormHookOptions, WeightNormHookOptions } from './weights.js'

/** All values of parameters in one vector. */
export const parametersToVector = (parameters: readonly Tensor[]): Tensor =>
  op(
    'cat',
    parameters.map((parameter) => op('reshape', parameter, [-1])),
  )

/** Puts the values of a vector back into parameters. */
export function vectorToParameters(vector: Tensor, parameters: readonly Tensor[]): void {
  const needed = parameters.reduce((sum, parameter) => sum + parameter.numel(), 0)
  if (vector.numel() !== needed) throw new ArgumentError(`Expected ${needed} values for \`vector\` but received ${vector.numel()}`)
  let at = 0
  for (const parameter of parameters) {
    const end = at + parameter.numel()
    copyInto(parameter, op('view', op('slice', vector, 0, at, end), parameter.shape))
    at = end
  }
}

type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d

/** Weight and bias of a linear map followed by a batch normalization with running statistics. `outputDim`: where the weight has the outputs. */
function fused(weight: Tensor, bias: Tensor | null, norm: BatchNorm, outputDim: number): [weight: Tensor, bias: Tensor] {
  const { runningMean, runningVar, eps } = norm
  if (runningMean === null || runningVar === null || norm.training)
    throw new ArgumentError('Fusion needs a batch normalization in eval mode with running statistics')
  const scale = op('mul', norm.weight ?? op('ones_like', runningMean), op('rsqrt', op('add', runningVar, eps)))
  const shape = weight.shape.map((_, dim) => (dim === outputDim ? -1 : 1))
  const shift = op('sub', bias ?? op('zeros_like', runningMean), runningMean)
  return [op('mul', weight, op('view', scale, shape)), op('add', op('mul', shift, scale), norm.bias ?? op('zeros_like', runningMean))]
}
function withWeights<T extends Conv1d | Conv2d | Conv3d | Linear>(layer: T, [weight, bias]: [Tensor, Tensor]): T {
  const made = deepCopy(layer)
  made.weight = new Parameter(weight, { requiresGrad: layer.weight.requiresGrad })
  made.bias = new Parameter(bias, { requiresGrad: layer.bias?.requiresGrad ?? false })
  return made
}

/** One convolution that computes what a convolution and the batch normalization after it do in eval mode. */
export const fuseConvBnEval = <T extends Conv1d | Conv2d | Conv3d>(conv: T, norm: BatchNorm): T =>
  withWeights(conv, fused(conv.weight, conv.bias, norm, 0))
/** One linear layer that computes what a linear layer and the batch normalization after it do in eval mode. */
export const fuseLinearBnEval = (linear: Linear, norm: BatchNorm): Linear => withWeights(linear, fused(linear.weight, linear.bias, norm, 0))
