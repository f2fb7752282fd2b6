import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, ops, opWith, plainShape, size } from '../eager.js'
import { type IntList, type Rest, settle } from '../options.js'

export const linear = (input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor => op('linear', input, weight, bias)
export const bilinear = (input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor =>
  op('bilinear', input1, input2, weight, bias)

export interface ConvOptions {
  bias?: Tensor | null
  stride?: IntList
  /** Numbers, or 'valid' or 'same'. */
  padding?: IntList | 'valid' | 'same'
  dilation?: IntList
  groups?: number
}
const convNames = ['bias', 'stride', 'padding', 'dilation', 'groups'] as const
type ConvRest = Rest<ConvOptions, typeof convNames>

const conv =
  (name: string) =>
  (input: Tensor, weight: Tensor, ...rest: ConvRest): Tensor => {
    const { bias = null, stride = 1, padding = 0, dilation = 1, groups = 1 } = settle<ConvOptions>(convNames, rest)
    return op(name, input, weight, bias, stride, padding, dilation, groups)
  }
export const conv1d = conv('conv1d')
export const conv2d = conv('conv2d')
export const conv3d = conv('conv3d')

export interface ConvTransposeOptions {
  bias?: Tensor | null
  stride?: IntList
  padding?: IntList
  outputPadding?: IntList
  groups?: number
  dilation?: IntList
}
const transposeNames = ['bias', 'stride', 'padding', 'outputPadding', 'groups', 'dilation'] as const
type ConvTransposeRest = Rest<ConvTransposeOptions, typeof transposeNames>

const convTranspose =
  (name: string) =>
  (input: Tensor, weight: Tensor, ...rest: ConvTransposeRest): Tensor => {
    const {
      bias = null,
      stride = 1,
      padding = 0,
      outputPadding = 0,
      groups = 1,
      dilation = 1,
    } = settle<ConvTransposeOptions>(transposeNames, rest)
    return op(name, input, weight, bias, stride, padding, outputPadding, groups, dilation)
  }
export const convTranspose1d = convTranspose('conv_transpose1d')
export const convTranspose2d = convTranspose('conv_transpose2d')
export const convTranspose3d = convTranspose('conv_transpose3d')

/** A convolution over time of an input of (time, batch, channels); the weight is (kernel, input channels, output channels). */
export const convTbc = (input: Tensor, weight: Tensor, bias: Tensor, pad = 0): Tensor => op('conv_tbc', input, weight, bias, pad)

export interface FoldOptions {
  dilation?: IntList
  padding?: IntList
  stride?: IntList
}
const foldNames = ['dilation', 'padding', 'stride'] as const
const pair = (value: IntList): readonly number[] => (typeof value === 'number' ? [value, value] : value)

/** Sliding blocks of a batch of images. */
export function unfold(input: Tensor, kernelSize: IntList, ...rest: Rest<FoldOptions, typeof foldNames>): Tensor {
  const { dilation = 1, padding = 0, stride = 1 } = settle<FoldOptions>(foldNames, rest)
  return op('im2col', input, pair(kernelSize), pair(dilation), pair(padding), pair(stride))
}
/** Adds sliding blocks up to images. */
export function fold(input: Tensor, outputSize: IntList, kernelSize: IntList, ...rest: Rest<FoldOptions, typeof foldNames>): Tensor {
  const { dilation = 1, padding = 0, stride = 1 } = settle<FoldOptions>(foldNames, rest)
  return op('col2im', input, pair(outputSize), pair(kernelSize), pair(dilation), pair(padding), pair(stride))
}

export interface EmbeddingOptions {
  paddingIdx?: number | null
  maxNorm?: number | null
  normType?: number
  scaleGradByFreq?: boolean
  sparse?: boolean
}
const embeddingNames = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'] as const
export function embedding(input: Tensor, weight: Tensor, ...rest: Rest<EmbeddingOptions, typeof embeddingNames>): Tensor {
  const {
    paddingIdx = null,
    maxNorm = null,
    normType = 2,
    scaleGradByFreq = false,
    sparse = false,
  } = settle<EmbeddingOptions>(embeddingNames, rest)
  const rows = plainShape(weight)[0]
  if (paddingIdx !== null && !(paddingIdx < rows && paddingIdx >= -rows))
    throw new ArgumentError(`Expected a row of the ${rows} of \`weight\` for \`paddingIdx\` but received ${paddingIdx}`)
  const padding = paddingIdx === null ? -1 : paddingIdx < 0 ? rows + paddingIdx : paddingIdx
  let indices = input
  if (maxNorm !== null) {
    indices = op('contiguous', input)
    op('embedding_renorm_', op('detach', weight), indices, maxNorm, normType)
  }
  return op('embedding', weight, indices, padding, scaleGradByFreq, sparse)
}

export interface EmbeddingBagOptions {
  offsets?: Tensor | null
  maxNorm?: number | null
  normType?: number
  scaleGradByFreq?: boolean
  mode?: 'sum' | 'mean' | 'max'
  sparse?: boolean
  perSampleWeights?: Tensor | null
  includeLastOffset?: boolean
  paddingIdx?: number | null
}
const bagNames = [
  'offsets',
  'maxNorm',
  'normType',
  'scaleGradByFreq',
  'mode',
  'sparse',
  'perSampleWeights',
  'includeLastOffset',
  'paddingIdx',
] as const
export function embeddingBag(input: Tensor, weight: Tensor, ...rest: Rest<EmbeddingBagOptions, typeof bagNames>): Tensor {
  const given = settle<EmbeddingBagOptions>(bagNames, rest)
  const { maxNorm = null, normType = 2, scaleGradByFreq = false, mode = 'mean', sparse = false, paddingIdx = null } = given
  let { offsets = null, perSampleWeights = null, includeLastOffset = false } = given
  if (perSampleWeights !== null && plainShape(perSampleWeights).join() !== plainShape(input).join())
    throw new ArgumentError(
      `Expected weights of the shape [${plainShape(input).join(', ')}] of the input for \`perSampleWeights\` but received [${plainShape(perSampleWeights).join(', ')}]`,
    )
  if (weight.dim() !== 2) throw new ArgumentError(`weight has to be a 2D Tensor, but got Tensor of dimension ${weight.dim()}`)
  let indices = input
  if (input.dim() === 2) {
    if (offsets !== null) throw new ArgumentError('Expected no `offsets` for a 2D input, which is a batch of bags of one length')
    const length = size(input, 1)
    offsets = opWith('arange', [0, input.numel(), length], { dtype: input.dtype })
    includeLastOffset = false
    indices = op('reshape', input, [-1])
    if (perSampleWeights !== null) perSampleWeights = op('reshape', perSampleWeights, [-1])
  } else if (input.dim() === 1) {
    if (offsets === null || offsets.dim() !== 1) throw new ArgumentError('offsets has to be a 1D Tensor')
  } else throw new ArgumentError(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.dim()}`)
  const modeCode = ['sum', 'mean', 'max'].indexOf(mode)
  if (modeCode < 0) throw new ArgumentError('mode has to be one of sum, mean or max')
  if (perSampleWeights !== null && mode !== 'sum')
    throw new ArgumentError(`Expected the mode 'sum' together with \`perSampleWeights\` but received '${mode}'`)
  if (maxNorm !== null) op('embedding_renorm_', op('detach', weight), indices, maxNorm, normType)
  return ops(
    'embedding_bag',
    weight,
    indices,
    offsets,
    scaleGradByFreq,
    modeCode,
    sparse,
    perSampleWeights,
    includeLastOffset,
    paddingIdx,
  )[0]
}

/** Ones where an index is, zeros elsewhere; `numClasses` of -1 takes one more than the largest index. */
export const oneHot = (input: Tensor, numClasses = -1): Tensor => op('one_hot', input, numClasses)
