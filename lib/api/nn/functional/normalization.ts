import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, plainShape, size } from '../eager.js'
import { checkProbability, type Rest, settle } from '../options.js'
import { type InplaceOptions } from './activation.js'

export interface BatchNormOptions {
  weight?: Tensor | null
  bias?: Tensor | null
  training?: boolean
  momentum?: number
  eps?: number
}
const batchNames = ['weight', 'bias', 'training', 'momentum', 'eps'] as const
export function batchNorm(
  input: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  ...rest: Rest<BatchNormOptions, typeof batchNames>
): Tensor {
  const { weight = null, bias = null, training = false, momentum = 0.1, eps = 1e-5 } = settle<BatchNormOptions>(batchNames, rest)
  if (training) {
    const shape = plainShape(input)
    const values = shape.slice(2).reduce((product, length) => product * length, shape[0])
    if (values === 1) throw new ArgumentError(`Expected more than 1 value per channel when training, got input size [${shape.join(', ')}]`)
  }
  return op('batch_norm', input, weight, bias, runningMean, runningVar, training, momentum, eps, true)
}

export interface InstanceNormOptions {
  runningMean?: Tensor | null
  runningVar?: Tensor | null
  weight?: Tensor | null
  bias?: Tensor | null
  useInputStats?: boolean
  momentum?: number
  eps?: number
}
const instanceNames = ['runningMean', 'runningVar', 'weight', 'bias', 'useInputStats', 'momentum', 'eps'] as const
export function instanceNorm(input: Tensor, ...rest: Rest<InstanceNormOptions, typeof instanceNames>): Tensor {
  const given = settle<InstanceNormOptions>(instanceNames, rest)
  const { runningMean = null, runningVar = null, weight = null, bias = null, useInputStats = true, momentum = 0.1, eps = 1e-5 } = given
  const shape = plainShape(input)
  if (useInputStats && shape.slice(2).reduce((product, length) => product * length, 1) === 1)
    throw new ArgumentError(`Expected more than 1 spatial element when training, got input size [${shape.join(', ')}]`)
  return op('instance_norm', input, weight, bias, runningMean, runningVar, useInputStats, momentum, eps, true)
}

export interface LayerNormOptions {
  weight?: Tensor | null
  bias?: Tensor | null
  eps?: number
}
const layerNames = ['weight', 'bias', 'eps'] as const
export function layerNorm(input: Tensor, normalizedShape: readonly number[], ...rest: Rest<LayerNormOptions, typeof layerNames>): Tensor {
  const { weight = null, bias = null, eps = 1e-5 } = settle<LayerNormOptions>(layerNames, rest)
  return op('layer_norm', input, normalizedShape, weight, bias, eps, true)
}
export function groupNorm(input: Tensor, numGroups: number, ...rest: Rest<LayerNormOptions, typeof layerNames>): Tensor {
  const { weight = null, bias = null, eps = 1e-5 } = settle<LayerNormOptions>(layerNames, rest)
  return op('group_norm', input, numGroups, weight, bias, eps, true)
}

export interface RMSNormOptions {
  weight?: Tensor | null
  eps?: number | null
}
const rmsNames = ['weight', 'eps'] as const
export function rmsNorm(input: Tensor, normalizedShape: readonly number[], ...rest: Rest<RMSNormOptions, typeof rmsNames>): Tensor {
  const { weight = null, eps = null } = settle<RMSNormOptions>(rmsNames, rest)
  return op('rms_norm', input, normalizedShape, weight, eps)
}

export interface LocalResponseNormOptions {
  alpha?: number
  beta?: number
  k?: number
}
const lrnNames = ['alpha', 'beta', 'k'] as const
export function localResponseNorm(input: Tensor, length: number, ...rest: Rest<LocalResponseNormOptions, typeof lrnNames>): Tensor {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = settle<LocalResponseNormOptions>(lrnNames, rest)
  const dims = input.dim()
  if (dims < 3) throw new ArgumentError(`Expected 3D or higher dimensionality input (got ${dims} dimensions)`)
  if (input.numel() === 0) return input
  const before = Math.floor(length / 2)
  const after = Math.floor((length - 1) / 2)
  let div = op('mul', input, input)
  if (dims === 3) {
    div = op('pad', op('unsqueeze', div, 1), [0, 0, before, after], 'constant', null)
    div = op('squeeze', op('avg_pool2d', div, [length, 1], 1), 1)
  } else {
    const sizes = Array.from({ length: dims }, (_, dim) => size(input, dim))
    div = op('view', div, [sizes[0], 1, sizes[1], sizes[2], -1])
    div = op('pad', div, [0, 0, 0, 0, before, after], 'constant', null)
    div = op('view', op('squeeze', op('avg_pool3d', div, [length, 1, 1], 1), 1), sizes)
  }
  return op('div', input, op('pow', op('add', op('mul', div, alpha), k), beta))
}

export interface NormalizeOptions {
  p?: number
  dim?: number | readonly number[]
  eps?: number
}
/** Divides by the p-norm along a dimension. */
export function normalize(input: Tensor, ...rest: Rest<NormalizeOptions, readonly ['p', 'dim', 'eps']>): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = settle<NormalizeOptions>(['p', 'dim', 'eps'], rest)
  const norm = op('norm', input, p, typeof dim === 'number' ? [dim] : dim, true)
  return op('div', input, op('expand_as', op('clamp_min', norm, eps), input))
}

export interface DropoutOptions extends InplaceOptions {
  p?: number
  training?: boolean
}
const dropoutNames = ['p', 'training', 'inplace'] as const
type DropoutRest = Rest<DropoutOptions, typeof dropoutNames>

const dropping =
  (name: string, trainingDefault: boolean) =>
  (input: Tensor, ...rest: DropoutRest): Tensor => {
    const { p = 0.5, training = trainingDefault, inplace = false } = settle<DropoutOptions>(dropoutNames, rest)
    checkProbability(p)
    return op(inplace ? `${name}_` : name, input, p, training)
  }
export const dropout = dropping('dropout', true)
export const alphaDropout = dropping('alpha_dropout', false)
export const featureAlphaDropout = dropping('feature_alpha_dropout', false)
const featureDropout = dropping('feature_dropout', true)

/** Drops whole channels; an input without a batch dimension gets one meanwhile. */
export function dropout1d(input: Tensor, ...rest: DropoutRest): Tensor {
  const { p = 0.5, training = true, inplace = false } = settle<DropoutOptions>(dropoutNames, rest)
  if (input.dim() !== 2 && input.dim() !== 3)
    throw new ArgumentError(`dropout1d: Expected 2D or 3D input, but received a ${input.dim()}D input`)
  if (input.dim() === 3) return featureDropout(input, p, training, inplace)
  const batched = op(inplace ? 'unsqueeze_' : 'unsqueeze', input, 0)
  return op(inplace ? 'squeeze_' : 'squeeze', featureDropout(batched, p, training, inplace), 0)
}
export const dropout2d = (input: Tensor, ...rest: DropoutRest): Tensor => featureDropout(input, ...rest)
/** Drops whole channels; an input without a batch dimension gets one meanwhile. */
export function dropout3d(input: Tensor, ...rest: DropoutRest): Tensor {
  if (input.dim() === 5) return featureDropout(input, ...rest)
  const { inplace = false } = settle<DropoutOptions>(dropoutNames, rest)
  return op(inplace ? 'squeeze_' : 'squeeze', featureDropout(op(inplace ? 'unsqueeze_' : 'unsqueeze', input, 0), ...rest), 0)
}
