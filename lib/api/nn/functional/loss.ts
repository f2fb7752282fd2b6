import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, ops, opWith, plainShape, size } from '../eager.js'
import { type Reduction, reductionCode, type Rest, settle } from '../options.js'

export interface ReductionOptions {
  reduction?: Reduction
}
const reductionNames = ['reduction'] as const
type ReductionRest = Rest<ReductionOptions, typeof reductionNames>
const reduced = (rest: readonly unknown[]): number => reductionCode(settle<ReductionOptions>(reductionNames, rest).reduction ?? 'mean')

/** Losses whose input and target are broadcast first. */
export interface WeightedOptions extends ReductionOptions {
  weight?: Tensor | null
}
const weightedNames = ['reduction', 'weight'] as const
type WeightedRest = Rest<WeightedOptions, typeof weightedNames>

/** Applies a weight for each element to a loss that is not reduced. */
function weighted(loss: Tensor, weight: Tensor, reduction: Reduction): Tensor {
  const product = op('mul', loss, weight)
  return reduction === 'none' ? product : reduction === 'sum' ? op('sum', product) : op('mean', product)
}
const elementwise =
  (name: string) =>
  (input: Tensor, target: Tensor, ...rest: WeightedRest): Tensor => {
    const { reduction = 'mean', weight = null } = settle<WeightedOptions>(weightedNames, rest)
    const code = reductionCode(reduction)
    const [a, b] = ops('broadcast_tensors', [input, target])
    if (weight === null) return op(name, a, b, code)
    if (plainShape(weight).join() !== plainShape(input).join()) throw new ArgumentError('Weights and input must have the same size.')
    const loss = op(name, a, b, 0)
    if (reduction === 'mean') return op('div', op('sum', op('mul', loss, weight)), op('sum', weight))
    return weighted(loss, weight, reduction)
  }
export const l1Loss = elementwise('l1_loss')
export const mseLoss = elementwise('mse_loss')

export interface HuberOptions extends WeightedOptions {
  delta?: number
}
const huberNames = ['reduction', 'delta', 'weight'] as const
export function huberLoss(input: Tensor, target: Tensor, ...rest: Rest<HuberOptions, typeof huberNames>): Tensor {
  const { reduction = 'mean', delta = 1, weight = null } = settle<HuberOptions>(huberNames, rest)
  const [a, b] = ops('broadcast_tensors', [input, target])
  if (weight === null) return op('huber_loss', a, b, reductionCode(reduction), delta)
  if (plainShape(weight).join() !== plainShape(input).join()) throw new ArgumentError('Weights and input must have the same size.')
  return weighted(op('huber_loss', a, b, 0, delta), weight, reduction)
}

export interface SmoothL1Options extends ReductionOptions {
  beta?: number
}
const smoothNames = ['reduction', 'beta'] as const
export function smoothL1Loss(input: Tensor, target: Tensor, ...rest: Rest<SmoothL1Options, typeof smoothNames>): Tensor {
  const { reduction = 'mean', beta = 1 } = settle<SmoothL1Options>(smoothNames, rest)
  const [a, b] = ops('broadcast_tensors', [input, target])
  return beta === 0 ? op('l1_loss', a, b, reductionCode(reduction)) : op('smooth_l1_loss', a, b, reductionCode(reduction), beta)
}

export interface CrossEntropyOptions extends ReductionOptions {
  weight?: Tensor | null
  ignoreIndex?: number
  labelSmoothing?: number
}
const crossNames = ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing'] as const
export function crossEntropy(input: Tensor, target: Tensor, ...rest: Rest<CrossEntropyOptions, typeof crossNames>): Tensor {
  const { weight = null, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = settle<CrossEntropyOptions>(crossNames, rest)
  return op('cross_entropy_loss', input, target, weight, reductionCode(reduction), ignoreIndex, labelSmoothing)
}

export interface LinearCrossEntropyOptions extends ReductionOptions {
  linearBias?: Tensor | null
  /** Of the classes. */
  weight?: Tensor | null
  /** Default: -100 where the target has class indices. */
  ignoreIndex?: number | null
  labelSmoothing?: number
}
/** The cross entropy of `linear(input, linearWeight, linearBias)`; a weight of more than two dimensions gives a loss of more than one. */
export function linearCrossEntropy(input: Tensor, linearWeight: Tensor, target: Tensor, options: LinearCrossEntropyOptions = {}): Tensor {
  const { linearBias = null, weight = null, ignoreIndex = null, reduction, labelSmoothing } = options
  const batch = plainShape(input).slice(0, -1)
  const features = plainShape(input).at(-1)
  const outputs = plainShape(linearWeight).slice(0, -1)
  const text = (shape: readonly number[]): string => `[${shape.join(', ')}]`
  if (batch.length > 1 || features === undefined) throw new ArgumentError(`expected input with dimensionality 1 or 2, got ${input.dim()}`)
  if (outputs.length < 1) throw new ArgumentError(`expected linear_weight with dimensionality at least 2, got ${linearWeight.dim()}`)
  if (features !== plainShape(linearWeight).at(-1))
    throw new ArgumentError(
      `expected equal input and linear_weight last dimensions (in_features), got ${features} and ${plainShape(linearWeight).at(-1)}, respectively`,
    )
  if (linearBias !== null && plainShape(linearBias).join() !== outputs.join())
    throw new ArgumentError(`expected linear_bias shape ${text(outputs)}, got ${text(plainShape(linearBias))}`)
  if (outputs.length > 1 && batch.length === 0)
    throw new ArgumentError(
      `K-dimensional loss defined by linear_weight shape ${text(plainShape(linearWeight))} requires batched input, (N, ${features}), got unbatched input with shape ${text(plainShape(input))}`,
    )
  if (ignoreIndex !== null && plainShape(target).join() === [...batch, ...outputs].join())
    throw new ArgumentError('ignore_index cannot be specified when target contains probabilities')
  const isFlat = outputs.length === 1
  const matrix = isFlat ? linearWeight : op('reshape', linearWeight, [-1, features])
  const logits = op('linear', input, matrix, linearBias === null || isFlat ? linearBias : op('reshape', linearBias, [-1]))
  const shaped = isFlat ? logits : op('reshape', logits, [size(input, 0), ...outputs])
  return crossEntropy(shaped, target, { weight, reduction, ignoreIndex: ignoreIndex ?? -100, labelSmoothing })
}

export interface NLLOptions extends ReductionOptions {
  weight?: Tensor | null
  ignoreIndex?: number
}
const nllNames = ['weight', 'ignoreIndex', 'reduction'] as const
export function nllLoss(input: Tensor, target: Tensor, ...rest: Rest<NLLOptions, typeof nllNames>): Tensor {
  const { weight = null, ignoreIndex = -100, reduction = 'mean' } = settle<NLLOptions>(nllNames, rest)
  return op('nll_loss_nd', input, target, weight, reductionCode(reduction), ignoreIndex)
}

export interface BCEOptions extends ReductionOptions {
  weight?: Tensor | null
}
const bceNames = ['weight', 'reduction'] as const
export function binaryCrossEntropy(input: Tensor, target: Tensor, ...rest: Rest<BCEOptions, typeof bceNames>): Tensor {
  const { weight = null, reduction = 'mean' } = settle<BCEOptions>(bceNames, rest)
  if (plainShape(target).join() !== plainShape(input).join())
    throw new ArgumentError(
      `Using a target size (torch.Size([${plainShape(target).join(', ')}])) that is different to the input size (torch.Size([${plainShape(input).join(', ')}])) is deprecated. Please ensure they have the same size.`,
    )
  const full = weight === null ? null : op('expand', weight, input.shape)
  return op('binary_cross_entropy', input, target, full, reductionCode(reduction))
}
export interface BCEWithLogitsOptions extends BCEOptions {
  posWeight?: Tensor | null
}
const logitsNames = ['weight', 'reduction', 'posWeight'] as const
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<BCEWithLogitsOptions, typeof logitsNames>
): Tensor {
  const { weight = null, reduction = 'mean', posWeight = null } = settle<BCEWithLogitsOptions>(logitsNames, rest)
  if (plainShape(target).join() !== plainShape(input).join())
    throw new ArgumentError(
      `Target size (torch.Size([${plainShape(target).join(', ')}])) must be the same as input size (torch.Size([${plainShape(input).join(', ')}]))`,
    )
  return op('binary_cross_entropy_with_logits', input, target, weight, posWeight, reductionCode(reduction))
}

export interface KLDivOptions {
  reduction?: Reduction | 'batchmean'
  logTarget?: boolean
}
const klNames = ['reduction', 'logTarget'] as const
export function klDiv(input: Tensor, target: Tensor, ...rest: Rest<KLDivOptions, typeof klNames>): Tensor {
  const { reduction = 'mean', logTarget = false } = settle<KLDivOptions>(klNames, rest)
  const code = reductionCode(reduction === 'batchmean' ? 'sum' : reduction)
  const loss = opWith('kl_div', [input, target, code], { log_target: logTarget })
  return reduction === 'batchmean' && input.dim() !== 0 ? op('div', loss, size(input, 0)) : loss
}

export interface PoissonNLLOptions extends ReductionOptions {
  logInput?: boolean
  full?: boolean
  eps?: number
}
const poissonNames = ['logInput', 'full', 'eps', 'reduction'] as const
export function poissonNllLoss(input: Tensor, target: Tensor, ...rest: Rest<PoissonNLLOptions, typeof poissonNames>): Tensor {
  const { logInput = true, full = false, eps = 1e-8, reduction = 'mean' } = settle<PoissonNLLOptions>(poissonNames, rest)
  return op('poisson_nll_loss', input, target, logInput, full, eps, reductionCode(reduction))
}

export interface GaussianNLLOptions extends ReductionOptions {
  full?: boolean
  eps?: number
}
const gaussianNames = ['full', 'eps', 'reduction'] as const
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor | number,
  ...rest: Rest<GaussianNLLOptions, typeof gaussianNames>
): Tensor {
  const { full = false, eps = 1e-6, reduction = 'mean' } = settle<GaussianNLLOptions>(gaussianNames, rest)
  reductionCode(reduction)
  const isNegative = variance instanceof Tensor ? op('any', op('lt', variance, 0)).item<boolean>() === true : variance < 0
  if (isNegative) throw new ArgumentError('var has negative entry/entries')
  let spread = variance instanceof Tensor ? variance : op('mul', op('ones_like', input), variance)
  if (plainShape(spread).join() !== plainShape(input).join()) {
    const differing = plainShape(input)
      .map((length, i) => (length === plainShape(spread)[i] ? 0 : plainShape(spread)[i]))
      .reduce((a, b) => a + b, 0)
    if (plainShape(spread).join() === plainShape(input).slice(0, -1).join()) spread = op('unsqueeze', spread, -1)
    else if (!(spread.dim() === input.dim() && differing === 1)) throw new ArgumentError('var is of incorrect size')
  }
  spread = opWith('clamp_', [op('clone', spread)], { min: eps })
  const square = op('pow', op('sub', input, target), 2)
  let loss = op('mul', op('add', op('log', spread), op('div', square, spread)), 0.5)
  if (full) loss = op('add_', loss, 0.5 * Math.log(2 * Math.PI))
  return reduction === 'mean' ? op('mean', loss) : reduction === 'sum' ? op('sum', loss) : loss
}

export interface MarginOptions extends ReductionOptions {
  margin?: number
}
const marginNames = ['margin', 'reduction'] as const
type MarginRest = Rest<MarginOptions, typeof marginNames>
const marginLoss = (name: string, tensors: Tensor[], rest: readonly unknown[], usual: number): Tensor => {
  const { margin = usual, reduction = 'mean' } = settle<MarginOptions>(marginNames, rest)
  return op(name, ...tensors, margin, reductionCode(reduction))
}
export const marginRankingLoss = (input1: Tensor, input2: Tensor, target: Tensor, ...rest: MarginRest): Tensor =>
  marginLoss('margin_ranking_loss', [input1, input2, target], rest, 0)
export const hingeEmbeddingLoss = (input: Tensor, target: Tensor, ...rest: MarginRest): Tensor =>
  marginLoss('hinge_embedding_loss', [input, target], rest, 1)
export const cosineEmbeddingLoss = (input1: Tensor, input2: Tensor, target: Tensor, ...rest: MarginRest): Tensor =>
  marginLoss('cosine_embedding_loss', [input1, input2, target], rest, 0)

export const multilabelMarginLoss = (input: Tensor, target: Tensor, ...rest: ReductionRest): Tensor =>
  op('multilabel_margin_loss', input, target, reduced(rest))
export const softMarginLoss = (input: Tensor, target: Tensor, ...rest: ReductionRest): Tensor =>
  op('soft_margin_loss', input, target, reduced(rest))

export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, ...rest: Rest<BCEOptions, typeof bceNames>): Tensor {
  const { weight = null, reduction = 'mean' } = settle<BCEOptions>(bceNames, rest)
  reductionCode(reduction)
  const hit = op('mul', target, op('log_sigmoid', input))
  const miss = op('mul', op('rsub', target, 1), op('log_sigmoid', op('neg', input)))
  let loss = op('neg', op('add', hit, miss))
  if (weight !== null) loss = op('mul', loss, weight)
  const last = input.dim() - 1
  loss = op('div', op('sum', loss, [last]), size(input, last))
  return reduction === 'mean' ? op('mean', loss) : reduction === 'sum' ? op('sum', loss) : loss
}

export interface MultiMarginOptions extends ReductionOptions {
  p?: 1 | 2
  margin?: number
  weight?: Tensor | null
}
const multiMarginNames = ['p', 'margin', 'weight', 'reduction'] as const
export function multiMarginLoss(input: Tensor, target: Tensor, ...rest: Rest<MultiMarginOptions, typeof multiMarginNames>): Tensor {
  const { p = 1, margin = 1, weight = null, reduction = 'mean' } = settle<MultiMarginOptions>(multiMarginNames, rest)
  if (p !== 1 && p !== 2) throw new ArgumentError('only p == 1 and p == 2 supported')
  return op('multi_margin_loss', input, target, p, margin, weight, reductionCode(reduction))
}

export interface TripletOptions extends ReductionOptions {
  margin?: number
  p?: number
  eps?: number
  swap?: boolean
}
const tripletNames = ['margin', 'p', 'eps', 'swap', 'reduction'] as const
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  ...rest: Rest<TripletOptions, typeof tripletNames>
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction = 'mean' } = settle<TripletOptions>(tripletNames, rest)
  if (!(margin > 0)) throw new ArgumentError(`margin must be greater than 0, got ${margin}`)
  return op('triplet_margin_loss', anchor, positive, negative, margin, p, eps, swap, reductionCode(reduction))
}

export interface TripletDistanceOptions extends ReductionOptions {
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null
  margin?: number
  swap?: boolean
}
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletDistanceOptions = {},
): Tensor {
  const { distanceFunction = null, margin = 1, swap = false, reduction = 'mean' } = options
  reductionCode(reduction)
  if (!(margin > 0)) throw new ArgumentError(`margin must be greater than 0, got ${margin}`)
  const distance = distanceFunction ?? ((a: Tensor, b: Tensor): Tensor => op('pairwise_distance', a, b))
  const near = distance(anchor, positive)
  let far = distance(anchor, negative)
  if (swap) far = op('minimum', far, distance(positive, negative))
  const loss = op('clamp_min', op('sub', op('add', near, margin), far), 0)
  return reduction === 'mean' ? op('mean', loss) : reduction === 'sum' ? op('sum', loss) : loss
}

export interface CTCOptions extends ReductionOptions {
  blank?: number
  zeroInfinity?: boolean
}
const ctcNames = ['blank', 'reduction', 'zeroInfinity'] as const
/** `inputLengths` and `targetLengths` are tensors or arrays of integers. */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor | readonly number[],
  targetLengths: Tensor | readonly number[],
  ...rest: Rest<CTCOptions, typeof ctcNames>
): Tensor {
  const { blank = 0, reduction = 'mean', zeroInfinity = false } = settle<CTCOptions>(ctcNames, rest)
  return op('ctc_loss', logProbs, targets, inputLengths, targetLengths, blank, reductionCode(reduction), zeroInfinity)
}
