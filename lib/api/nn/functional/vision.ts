import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, opWith } from '../eager.js'
import { type Rest, settle } from '../options.js'

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular'
export interface PadOptions {
  mode?: PadMode
  value?: number | null
}
/** Pads from the last dimension on: `[left, right, top, bottom, ...]`; negative numbers cut. */
export function pad(input: Tensor, pad: readonly number[], ...rest: Rest<PadOptions, readonly ['mode', 'value']>): Tensor {
  const { mode = 'constant', value = null } = settle<PadOptions>(['mode', 'value'], rest)
  return op('pad', input, pad, mode, value)
}

export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area'
export interface InterpolateOptions {
  size?: number | readonly number[] | null
  scaleFactor?: number | readonly number[] | null
  mode?: InterpolateMode
  alignCorners?: boolean | null
  recomputeScaleFactor?: boolean | null
  antialias?: boolean
}
const interpolateNames = ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor', 'antialias'] as const

const upsamplers: Readonly<Record<string, readonly [dims: number, name: string]>> = {
  linear: [1, 'upsample_linear1d'],
  bilinear: [2, 'upsample_bilinear2d'],
  bicubic: [2, 'upsample_bicubic2d'],
  trilinear: [3, 'upsample_trilinear3d'],
}

/** Resizes the spatial dimensions of a batch to a size or by factors. */
export function interpolate(input: Tensor, ...rest: Rest<InterpolateOptions, typeof interpolateNames>): Tensor {
  const given = settle<InterpolateOptions>(interpolateNames, rest)
  const { size = null, scaleFactor = null, mode = 'nearest', antialias = false } = given
  const { alignCorners = null, recomputeScaleFactor = null } = given
  const dims = input.dim() - 2
  const isPlain = mode === 'nearest' || mode === 'nearest-exact' || mode === 'area'
  if (isPlain && alignCorners !== null)
    throw new ArgumentError('align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear')
  if (size !== null && scaleFactor !== null) throw new ArgumentError('only one of size or scale_factor should be defined')
  if (size === null && scaleFactor === null) throw new ArgumentError('either size or scale_factor should be defined')
  if (recomputeScaleFactor === true && size !== null)
    throw new ArgumentError('recompute_scale_factor is not meaningful with an explicit size.')
  let sizes = size === null ? null : perDimension(size, dims, 'size')
  let factors = scaleFactor === null ? null : perDimension(scaleFactor, dims, 'scaleFactor')
  if (factors !== null && (recomputeScaleFactor === true || mode === 'area')) {
    sizes = factors.map((factor, i) => Math.trunc(input.size(i + 2) * factor))
    factors = null
  }
  if (antialias && !((mode === 'bilinear' || mode === 'bicubic') && dims === 2))
    throw new ArgumentError('Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input')
  if (dims >= 1 && dims <= 3) {
    if (mode === 'nearest') return op(`upsample_nearest${dims}d`, input, sizes, factors)
    if (mode === 'nearest-exact') return op(`_upsample_nearest_exact${dims}d`, input, sizes, factors)
    if (mode === 'area') return op(`adaptive_avg_pool${dims}d`, input, sizes)
    const [needed, name] = upsamplers[mode] ?? [undefined, '']
    if (needed === dims) return op(antialias ? `_${name}_aa` : name, input, sizes, alignCorners ?? false, factors)
    if (needed !== undefined) throw new ArgumentError(`Got ${dims + 2}D input, but ${mode} mode needs ${needed + 2}D input`)
  }
  throw new ArgumentError(
    `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${input.dim()}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ${mode})`,
  )
}

function perDimension(value: number | readonly number[], dims: number, name: string): number[] {
  if (!Array.isArray(value)) return new Array<number>(Math.max(dims, 0)).fill(value as number)
  if (value.length !== dims)
    throw new ArgumentError(`Expected a number or ${dims} of them for \`${name}\` but received [${value.join(', ')}]`)
  return value as number[]
}

export const upsample = interpolate

export interface UpsampleOptions {
  size?: number | readonly number[] | null
  scaleFactor?: number | readonly number[] | null
}
const upsampleNames = ['size', 'scaleFactor'] as const
type UpsampleRest = Rest<UpsampleOptions, typeof upsampleNames>
/** `interpolate` with the nearest value. */
export const upsampleNearest = (input: Tensor, ...rest: UpsampleRest): Tensor =>
  interpolate(input, { ...settle<UpsampleOptions>(upsampleNames, rest), mode: 'nearest' })
/** `interpolate` between the values of an image whose corners stay where they are. */
export const upsampleBilinear = (input: Tensor, ...rest: UpsampleRest): Tensor =>
  interpolate(input, { ...settle<UpsampleOptions>(upsampleNames, rest), mode: 'bilinear', alignCorners: true })

export interface GridSampleOptions {
  mode?: 'bilinear' | 'nearest' | 'bicubic'
  paddingMode?: 'zeros' | 'border' | 'reflection'
  alignCorners?: boolean | null
}
const gridNames = ['mode', 'paddingMode', 'alignCorners'] as const
/** Values of `input` at the points of `grid`, which go from -1 to 1. */
export function gridSample(input: Tensor, grid: Tensor, ...rest: Rest<GridSampleOptions, typeof gridNames>): Tensor {
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = null } = settle<GridSampleOptions>(gridNames, rest)
  const modeCode = ['bilinear', 'nearest', 'bicubic'].indexOf(mode)
  const paddingCode = ['zeros', 'border', 'reflection'].indexOf(paddingMode)
  if (modeCode < 0) throw new ArgumentError(`Expected 'bilinear', 'nearest' or 'bicubic' for \`mode\` but received '${mode}'`)
  if (paddingCode < 0)
    throw new ArgumentError(`Expected 'zeros', 'border' or 'reflection' for \`paddingMode\` but received '${paddingMode}'`)
  return op('grid_sampler', input, grid, modeCode, paddingCode, alignCorners ?? false)
}
export const affineGrid = (theta: Tensor, size: readonly number[], alignCorners = false): Tensor =>
  op('affine_grid_generator', theta, size, alignCorners)

export const pixelShuffle = (input: Tensor, upscaleFactor: number): Tensor => op('pixel_shuffle', input, upscaleFactor)
export const pixelUnshuffle = (input: Tensor, downscaleFactor: number): Tensor => op('pixel_unshuffle', input, downscaleFactor)
export const channelShuffle = (input: Tensor, groups: number): Tensor => op('channel_shuffle', input, groups)
export const nativeChannelShuffle = (input: Tensor, groups: number): Tensor => op('native_channel_shuffle', input, groups)

export interface CosineSimilarityOptions {
  dim?: number
  eps?: number
}
export function cosineSimilarity(x1: Tensor, x2: Tensor, ...rest: Rest<CosineSimilarityOptions, readonly ['dim', 'eps']>): Tensor {
  const { dim = 1, eps = 1e-8 } = settle<CosineSimilarityOptions>(['dim', 'eps'], rest)
  return op('cosine_similarity', x1, x2, dim, eps)
}
export interface PairwiseDistanceOptions {
  p?: number
  eps?: number
  keepdim?: boolean
}
export function pairwiseDistance(x1: Tensor, x2: Tensor, ...rest: Rest<PairwiseDistanceOptions, readonly ['p', 'eps', 'keepdim']>): Tensor {
  const { p = 2, eps = 1e-6, keepdim = false } = settle<PairwiseDistanceOptions>(['p', 'eps', 'keepdim'], rest)
  return op('pairwise_distance', x1, x2, p, eps, keepdim)
}
export const pdist = (input: Tensor, p = 2): Tensor => op('pdist', input, p)

export interface AttentionOptions {
  attnMask?: Tensor | null
  dropoutP?: number
  isCausal?: boolean
  scale?: number | null
  enableGqa?: boolean
}
const attentionNames = ['attnMask', 'dropoutP', 'isCausal', 'scale', 'enableGqa'] as const
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  ...rest: Rest<AttentionOptions, typeof attentionNames>
): Tensor {
  const {
    attnMask = null,
    dropoutP = 0,
    isCausal = false,
    scale = null,
    enableGqa = false,
  } = settle<AttentionOptions>(attentionNames, rest)
  return opWith('scaled_dot_product_attention', [query, key, value, attnMask, dropoutP, isCausal], { scale, enable_gqa: enableGqa })
}
