import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, ops, opWith } from '../eager.js'
import { type IntList, type Rest, settle, tuple } from '../options.js'

export interface MaxPoolOptions {
  /** Default: the kernel size. */
  stride?: IntList | null
  padding?: IntList
  dilation?: IntList
  ceilMode?: boolean
}
const maxNames = ['stride', 'padding', 'dilation', 'ceilMode'] as const
type MaxPoolRest = Rest<MaxPoolOptions, typeof maxNames>

function maxPoolArguments(input: Tensor, kernelSize: IntList, rest: readonly unknown[]): unknown[] {
  const { stride = null, padding = 0, dilation = 1, ceilMode = false } = settle<MaxPoolOptions>(maxNames, rest)
  return [input, kernelSize, stride ?? [], padding, dilation, ceilMode]
}
const maxPool =
  (name: string) =>
  (input: Tensor, kernelSize: IntList, ...rest: MaxPoolRest): Tensor =>
    op(name, ...maxPoolArguments(input, kernelSize, rest))
const maxPoolWithIndices =
  (name: string) =>
  (input: Tensor, kernelSize: IntList, ...rest: MaxPoolRest): [Tensor, Tensor] =>
    ops(name, ...maxPoolArguments(input, kernelSize, rest)) as [Tensor, Tensor]

export const maxPool1d = maxPool('max_pool1d')
export const maxPool2d = maxPool('max_pool2d')
export const maxPool3d = maxPool('max_pool3d')
/** The maxima and where in the input each was. */
export const maxPool1dWithIndices = maxPoolWithIndices('max_pool1d_with_indices')
export const maxPool2dWithIndices = maxPoolWithIndices('max_pool2d_with_indices')
export const maxPool3dWithIndices = maxPoolWithIndices('max_pool3d_with_indices')

export interface AvgPoolOptions {
  stride?: IntList | null
  padding?: IntList
  ceilMode?: boolean
  countIncludePad?: boolean
  /** Divisor instead of the size of the window; not for `avgPool1d`. */
  divisorOverride?: number | null
}
const avgNames = ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'] as const
type AvgPoolRest = Rest<AvgPoolOptions, typeof avgNames>

export function avgPool1d(input: Tensor, kernelSize: IntList, ...rest: AvgPoolRest): Tensor {
  const { stride = null, padding = 0, ceilMode = false, countIncludePad = true } = settle<AvgPoolOptions>(avgNames, rest)
  return op('avg_pool1d', input, kernelSize, stride ?? [], padding, ceilMode, countIncludePad)
}
const avgPool =
  (name: string) =>
  (input: Tensor, kernelSize: IntList, ...rest: AvgPoolRest): Tensor => {
    const given = settle<AvgPoolOptions>(avgNames, rest)
    const { stride = null, padding = 0, ceilMode = false, countIncludePad = true, divisorOverride = null } = given
    return op(name, input, kernelSize, stride ?? [], padding, ceilMode, countIncludePad, divisorOverride)
  }
export const avgPool2d = avgPool('avg_pool2d')
export const avgPool3d = avgPool('avg_pool3d')

/** Sizes of the result; null for the input's own. */
export type OutputSize = number | null | readonly (number | null)[]

/** `outputSize` with the input's sizes in place of nulls. */
export function fullOutputSize(input: Tensor, outputSize: OutputSize, dims: number): number[] {
  const wanted = Array.isArray(outputSize)
    ? (outputSize as (number | null)[])
    : new Array<number | null>(dims).fill(outputSize as number | null)
  if (wanted.length !== dims)
    throw new ArgumentError(`Expected an integer or ${dims} of them for \`outputSize\` but received ${JSON.stringify(outputSize)}`)
  return wanted.map((value, i) => value ?? input.size(i - dims))
}

export const adaptiveAvgPool1d = (input: Tensor, outputSize: IntList): Tensor => op('adaptive_avg_pool1d', input, outputSize)
export const adaptiveAvgPool2d = (input: Tensor, outputSize: OutputSize): Tensor =>
  op('adaptive_avg_pool2d', input, fullOutputSize(input, outputSize, 2))
export const adaptiveAvgPool3d = (input: Tensor, outputSize: OutputSize): Tensor =>
  op('adaptive_avg_pool3d', input, fullOutputSize(input, outputSize, 3))

const adaptiveMaxPool =
  (dims: number) =>
  (input: Tensor, outputSize: OutputSize): [Tensor, Tensor] =>
    ops(`adaptive_max_pool${dims}d`, input, fullOutputSize(input, outputSize, dims)) as [Tensor, Tensor]
export const adaptiveMaxPool1dWithIndices = adaptiveMaxPool(1)
export const adaptiveMaxPool2dWithIndices = adaptiveMaxPool(2)
export const adaptiveMaxPool3dWithIndices = adaptiveMaxPool(3)
export const adaptiveMaxPool1d = (input: Tensor, outputSize: OutputSize): Tensor => adaptiveMaxPool1dWithIndices(input, outputSize)[0]
export const adaptiveMaxPool2d = (input: Tensor, outputSize: OutputSize): Tensor => adaptiveMaxPool2dWithIndices(input, outputSize)[0]
export const adaptiveMaxPool3d = (input: Tensor, outputSize: OutputSize): Tensor => adaptiveMaxPool3dWithIndices(input, outputSize)[0]

export interface LPPoolOptions {
  stride?: IntList | null
  ceilMode?: boolean
}
const lpNames = ['stride', 'ceilMode'] as const
const lpPool =
  (dims: number) =>
  (input: Tensor, normType: number, kernelSize: IntList, ...rest: Rest<LPPoolOptions, typeof lpNames>): Tensor => {
    const { stride = null, ceilMode = false } = settle<LPPoolOptions>(lpNames, rest)
    if (normType === Infinity) return op(`max_pool${dims}d`, op('abs', input), kernelSize, stride ?? [], 0, 1, ceilMode)
    if (normType === -Infinity)
      return op('neg', op(`max_pool${dims}d`, op('neg', op('abs', input)), kernelSize, stride ?? [], 0, 1, ceilMode))
    const out = op(`avg_pool${dims}d`, op('pow', input, normType), kernelSize, stride ?? [], 0, ceilMode)
    const window = tuple(kernelSize, dims, 'kernelSize').reduce((product, length) => product * length, 1)
    const kept = op('mul', op('sign', out), op('relu', op('abs', out)))
    return op('pow', op('mul', kept, window), 1 / normType)
  }
export const lpPool1d = lpPool(1)
export const lpPool2d = lpPool(2)
export const lpPool3d = lpPool(3)

export interface FractionalMaxPoolOptions {
  outputSize?: IntList | null
  outputRatio?: number | readonly number[] | null
  /** Numbers in [0, 1) that decide the windows; drawn where not given. */
  randomSamples?: Tensor | null
}
const fractionalNames = ['outputSize', 'outputRatio', 'randomSamples'] as const
const fractionalMaxPool =
  (dims: number) =>
  (input: Tensor, kernelSize: IntList, ...rest: Rest<FractionalMaxPoolOptions, typeof fractionalNames>): [Tensor, Tensor] => {
    const { outputSize = null, outputRatio = null, randomSamples = null } = settle<FractionalMaxPoolOptions>(fractionalNames, rest)
    if (outputSize === null && outputRatio === null)
      throw new ArgumentError(`fractional_max_pool${dims}d requires specifying either an output_size or an output_ratio`)
    const sizes =
      outputSize !== null
        ? tuple(outputSize, dims, 'outputSize')
        : tuple(outputRatio!, dims, 'outputRatio').map((ratio, i) => Math.trunc(input.size(i - dims) * ratio))
    const batch = input.dim() === dims + 1 ? 1 : input.size(0)
    const samples = randomSamples ?? opWith('rand', [[batch, input.size(-dims - 1), dims]], { dtype: input.dtype })
    return ops(`fractional_max_pool${dims}d`, input, tuple(kernelSize, dims, 'kernelSize'), sizes, samples) as [Tensor, Tensor]
  }
export const fractionalMaxPool2dWithIndices = fractionalMaxPool(2)
export const fractionalMaxPool3dWithIndices = fractionalMaxPool(3)
type FractionalRest = Rest<FractionalMaxPoolOptions, typeof fractionalNames>
export const fractionalMaxPool2d = (input: Tensor, kernelSize: IntList, ...rest: FractionalRest): Tensor =>
  fractionalMaxPool2dWithIndices(input, kernelSize, ...rest)[0]
export const fractionalMaxPool3d = (input: Tensor, kernelSize: IntList, ...rest: FractionalRest): Tensor =>
  fractionalMaxPool3dWithIndices(input, kernelSize, ...rest)[0]

export interface MaxUnpoolOptions {
  stride?: IntList | null
  padding?: IntList
  outputSize?: readonly number[] | null
}
const unpoolNames = ['stride', 'padding', 'outputSize'] as const
const maxUnpool =
  (dims: number) =>
  (input: Tensor, indices: Tensor, kernelSize: IntList, ...rest: Rest<MaxUnpoolOptions, typeof unpoolNames>): Tensor => {
    const given = settle<MaxUnpoolOptions>(unpoolNames, rest)
    const kernel = tuple(kernelSize, dims, 'kernelSize')
    const stride = tuple(given.stride ?? kernel, dims, 'stride')
    const padding = tuple(given.padding ?? 0, dims, 'padding')
    const usual = kernel.map((length, i) => (input.size(i - dims) - 1) * stride[i] + length - 2 * padding[i])
    const sizes = unpoolSize(usual, stride, given.outputSize ?? null)
    if (dims === 1) return op('squeeze', op('max_unpool2d', op('unsqueeze', input, -1), op('unsqueeze', indices, -1), [...sizes, 1]), -1)
    return dims === 2 ? op('max_unpool2d', input, indices, sizes) : op('max_unpool3d', input, indices, sizes, stride, padding)
  }

function unpoolSize(usual: number[], stride: number[], outputSize: readonly number[] | null): number[] {
  if (outputSize === null) return usual
  const dims = usual.length
  const sizes = outputSize.length === dims + 2 ? outputSize.slice(2) : [...outputSize]
  if (sizes.length !== dims)
    throw new ArgumentError(
      `output_size should be a sequence containing ${dims} or ${dims + 2} elements, but it has a length of '${outputSize.length}'`,
    )
  sizes.forEach((length, i) => {
    const [least, most] = [usual[i] - stride[i], usual[i] + stride[i]]
    if (!(least < length && length < most))
      throw new ArgumentError(`invalid output_size "[${sizes.join(', ')}]" (dim ${i} must be between ${least} and ${most})`)
  })
  return sizes
}
export const maxUnpool1d = maxUnpool(1)
export const maxUnpool2d = maxUnpool(2)
export const maxUnpool3d = maxUnpool(3)
