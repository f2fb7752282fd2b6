import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { copyInto, op } from '../eager.js'

export { fuseConvBnEval, fuseConvBnWeights, fuseLinearBnEval, fuseLinearBnWeights } from './fusion.js'
export { convertConv2dWeightMemoryFormat, convertConv3dWeightMemoryFormat } from './memory-format.js'
export * as parametrizations from './parametrizations.js'
export * as parametrize from './parametrize.js'
export * as rnn from './rnn.js'
export { skipInit } from './skip-init.js'
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
