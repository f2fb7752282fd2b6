import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op, plainShape } from '../eager.js'
import * as F from '../functional/loss.js'
import { Module } from '../module.js'
import { type Reduction, reductionCode, type Rest, settle } from '../options.js'
import { py, pyFloat } from '../repr.js'
import { Linear } from './linear.js'
import { PairwiseDistance } from './shape.js'

/** What all losses have. */
class Loss extends Module {
  static override readonly attributes: AttributeTable = { reduction: 'Final[str]' }
  readonly reduction: Reduction
  constructor(reduction: Reduction = 'mean') {
    super()
    reductionCode(reduction)
    this.reduction = reduction
  }
}

/** A loss with a weight, which is a buffer. */
class WeightedLoss extends Loss {
  declare weight: Tensor | null
  constructor(weight: Tensor | null = null, reduction: Reduction = 'mean') {
    super(reduction)
    this.registerBuffer('weight', weight)
  }
}

/** A method that computes `code`, the number of the reduction, and then `lines`. */
const lossSource = (parameters: string, lines: string): string => `
def forward(self, ${parameters}) -> Tensor:
  code = 1
  if self.reduction == "none":
    code = 0
  elif self.reduction == "sum":
    code = 2
${lines
  .trim()
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
`
const pair = 'input: Tensor, target: Tensor'
const reduceLines = `
if self.reduction == "mean":
  return torch.mean(loss)
elif self.reduction == "sum":
  return torch.sum(loss)
return loss
`

export interface LossOptions {
  reduction?: Reduction
}
type LossRest = Rest<LossOptions, readonly ['reduction']>
const reductionOf = (rest: readonly unknown[]): Reduction | undefined => settle<LossOptions>(['reduction'], rest).reduction

export class L1Loss extends Loss {
  static readonly pythonName: string = 'torch.nn.modules.loss.L1Loss'
  static readonly torchscript: string = lossSource(
    pair,
    `
a, b = torch.broadcast_tensors([input, target])
return torch.l1_loss(a, b, code)
`,
  )
  constructor(...rest: LossRest) {
    super(reductionOf(rest))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.reduction)
  }
}

export class MSELoss extends Loss {
  static readonly pythonName: string = 'torch.nn.modules.loss.MSELoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
a, b = torch.broadcast_tensors([input, target])
return torch.mse_loss(a, b, code)
`,
  )
  constructor(...rest: LossRest) {
    super(reductionOf(rest))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.reduction)
  }
}

export class MultiLabelMarginLoss extends Loss {
  static readonly pythonName: string = 'torch.nn.modules.loss.MultiLabelMarginLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.multilabel_margin_loss(input, target, code)
`,
  )
  constructor(...rest: LossRest) {
    super(reductionOf(rest))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelMarginLoss(input, target, this.reduction)
  }
}

export class SoftMarginLoss extends Loss {
  static readonly pythonName: string = 'torch.nn.modules.loss.SoftMarginLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.soft_margin_loss(input, target, code)
`,
  )
  constructor(...rest: LossRest) {
    super(reductionOf(rest))
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.softMarginLoss(input, target, this.reduction)
  }
}

const smoothNames = ['reduction', 'beta'] as const
export class SmoothL1Loss extends Loss {
  static override readonly attributes: AttributeTable = { beta: 'float' }
  static readonly pythonName: string = 'torch.nn.modules.loss.SmoothL1Loss'
  static readonly torchscript: string = lossSource(
    pair,
    `
a, b = torch.broadcast_tensors([input, target])
if self.beta == 0.0:
  return torch.l1_loss(a, b, code)
return torch.smooth_l1_loss(a, b, code, self.beta)
`,
  )
  readonly beta: number
  constructor(...rest: Rest<F.SmoothL1Options, typeof smoothNames>) {
    const { reduction, beta = 1 } = settle<F.SmoothL1Options>(smoothNames, rest)
    super(reduction)
    this.beta = beta
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.reduction, this.beta)
  }
}

export interface HuberLossOptions {
  reduction?: Reduction
  delta?: number
}
const huberNames = ['reduction', 'delta'] as const
export class HuberLoss extends Loss {
  static override readonly attributes: AttributeTable = { delta: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.HuberLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
a, b = torch.broadcast_tensors([input, target])
return torch.huber_loss(a, b, code, self.delta)
`,
  )
  readonly delta: number
  constructor(...rest: Rest<HuberLossOptions, typeof huberNames>) {
    const { reduction, delta = 1 } = settle<HuberLossOptions>(huberNames, rest)
    super(reduction)
    this.delta = delta
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.reduction, this.delta)
  }
}

const crossNames = ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing'] as const
export class CrossEntropyLoss extends WeightedLoss {
  static override readonly attributes: AttributeTable = { ignoreIndex: 'Final[int]', labelSmoothing: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.CrossEntropyLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.cross_entropy_loss(input, target, self.weight, code, self.ignore_index, self.label_smoothing)
`,
  )
  readonly ignoreIndex: number
  readonly labelSmoothing: number
  constructor(...rest: Rest<F.CrossEntropyOptions, typeof crossNames>) {
    const { weight, ignoreIndex = -100, reduction, labelSmoothing = 0 } = settle<F.CrossEntropyOptions>(crossNames, rest)
    super(weight, reduction)
    this.ignoreIndex = ignoreIndex
    this.labelSmoothing = labelSmoothing
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, this.weight, this.ignoreIndex, this.reduction, this.labelSmoothing)
  }
}

export interface LinearCrossEntropyLayerOptions extends LossOptions {
  /** Sizes of a loss of several dimensions. */
  outFeatures?: readonly number[]
  bias?: boolean
  dtype?: DType
  weight?: Tensor | null
  ignoreIndex?: number | null
  labelSmoothing?: number
}
/** A linear layer and the cross entropy of its result. */
export class LinearCrossEntropyLoss extends WeightedLoss {
  static override readonly attributes: AttributeTable = {
    numClasses: 'Final[int]',
    outFeatures: 'Final[Tuple[int, ...]]',
    ignoreIndex: 'Final[Optional[int]]',
    labelSmoothing: 'Final[float]',
  }
  static readonly pythonName: string = 'torch.nn.modules.loss.LinearCrossEntropyLoss'
  static torchscript({ numClasses, outFeatures, linear }: LinearCrossEntropyLoss): string {
    const outputs = [numClasses, ...outFeatures].join(', ')
    return `
def forward(self, input: Tensor, target: Tensor) -> Tensor:
  weight = self.linear.weight.reshape([${outputs}, ${linear.inFeatures}])
  bias = ${linear.bias === null ? 'None' : `self.linear.bias.reshape([${outputs}])`}
  return torch.nn.functional.linear_cross_entropy(input, weight, target, linear_bias=bias, weight=self.weight, reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing)
`
  }
  readonly numClasses: number
  readonly outFeatures: number[]
  readonly ignoreIndex: number | null
  readonly labelSmoothing: number
  linear: Linear
  constructor(inFeatures: number, numClasses: number, options: LinearCrossEntropyLayerOptions = {}) {
    const { outFeatures = [], bias = false, dtype, weight = null, reduction, ignoreIndex = null, labelSmoothing = 0 } = options
    if (weight !== null && plainShape(weight).join() !== String(numClasses))
      throw new ArgumentError(`expected weight shape to be (${numClasses},), got [${plainShape(weight).join(', ')}]`)
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
      throw new ArgumentError(`expected label_smoothing to be in range [0, 1], got ${labelSmoothing}`)
    super(weight, reduction)
    this.numClasses = numClasses
    this.outFeatures = [...outFeatures]
    this.ignoreIndex = ignoreIndex
    this.labelSmoothing = labelSmoothing
    this.linear = new Linear(
      inFeatures,
      outFeatures.reduce((product, length) => product * length, numClasses),
      { bias, dtype },
    )
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    const { linear, weight, reduction, ignoreIndex, labelSmoothing } = this
    const outputs = [this.numClasses, ...this.outFeatures]
    const matrix = op('reshape', linear.weight, [...outputs, linear.inFeatures])
    const linearBias = linear.bias === null ? null : op('reshape', linear.bias, outputs)
    return F.linearCrossEntropy(input, matrix, target, { linearBias, weight, reduction, ignoreIndex, labelSmoothing })
  }
  override extraRepr(): string {
    const { inFeatures, bias } = this.linear
    const sizes = `in_features=${inFeatures}, num_classes=${this.numClasses}, out_features=${py(this.outFeatures)}, bias=${py(bias !== null)}`
    return `${sizes}, reduction=${this.reduction}, ignore_index=${py(this.ignoreIndex)}, label_smoothing=${pyFloat(this.labelSmoothing)}, options=None`
  }
}

const nllNames = ['weight', 'ignoreIndex', 'reduction'] as const
export class NLLLoss extends WeightedLoss {
  static override readonly attributes: AttributeTable = { ignoreIndex: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.NLLLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.nll_loss_nd(input, target, self.weight, code, self.ignore_index)
`,
  )
  readonly ignoreIndex: number
  constructor(...rest: Rest<F.NLLOptions, typeof nllNames>) {
    const { weight, ignoreIndex = -100, reduction } = settle<F.NLLOptions>(nllNames, rest)
    super(weight, reduction)
    this.ignoreIndex = ignoreIndex
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.weight, this.ignoreIndex, this.reduction)
  }
}

/** `NLLLoss` under its old name for images. */
export class NLLLoss2d extends NLLLoss {
  static override readonly pythonName: string = 'torch.nn.modules.loss.NLLLoss2d'
}

const bceNames = ['weight', 'reduction'] as const
export class BCELoss extends WeightedLoss {
  static readonly pythonName: string = 'torch.nn.modules.loss.BCELoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
weight = self.weight
if weight is not None:
  return torch.binary_cross_entropy(input, target, weight.expand(input.size()), code)
return torch.binary_cross_entropy(input, target, None, code)
`,
  )
  constructor(...rest: Rest<F.BCEOptions, typeof bceNames>) {
    const { weight, reduction } = settle<F.BCEOptions>(bceNames, rest)
    super(weight, reduction)
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, this.weight, this.reduction)
  }
}

const logitsNames = ['weight', 'reduction', 'posWeight'] as const
export class BCEWithLogitsLoss extends WeightedLoss {
  static override readonly attributes: AttributeTable = { reduction: 'str', posWeight: 'Optional[Tensor]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.BCEWithLogitsLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.binary_cross_entropy_with_logits(input, target, self.weight, self.pos_weight, code)
`,
  )
  declare posWeight: Tensor | null
  constructor(...rest: Rest<F.BCEWithLogitsOptions, typeof logitsNames>) {
    const { weight, reduction, posWeight = null } = settle<F.BCEWithLogitsOptions>(logitsNames, rest)
    super(weight, reduction)
    this.registerBuffer('posWeight', posWeight)
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, this.weight, this.reduction, this.posWeight)
  }
}

const klNames = ['reduction', 'logTarget'] as const
export class KLDivLoss extends Module {
  static override readonly attributes: AttributeTable = { reduction: 'Final[str]', logTarget: 'bool' }
  static readonly pythonName: string = 'torch.nn.modules.loss.KLDivLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
if self.reduction == "batchmean":
  loss = torch.kl_div(input, target, 2, log_target=self.log_target)
  if input.dim() != 0:
    loss = loss / input.size(0)
  return loss
return torch.kl_div(input, target, code, log_target=self.log_target)
`,
  )
  readonly reduction: Reduction | 'batchmean'
  readonly logTarget: boolean
  constructor(...rest: Rest<F.KLDivOptions, typeof klNames>) {
    super()
    const { reduction = 'mean', logTarget = false } = settle<F.KLDivOptions>(klNames, rest)
    this.reduction = reduction
    this.logTarget = logTarget
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.reduction, this.logTarget)
  }
}

const poissonNames = ['logInput', 'full', 'eps', 'reduction'] as const
export class PoissonNLLLoss extends Loss {
  static override readonly attributes: AttributeTable = { logInput: 'Final[bool]', full: 'Final[bool]', eps: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.PoissonNLLLoss'
  static readonly torchscript: string = lossSource(
    'log_input: Tensor, target: Tensor',
    `
return torch.poisson_nll_loss(log_input, target, self.log_input, self.full, self.eps, code)
`,
  )
  readonly logInput: boolean
  readonly full: boolean
  readonly eps: number
  constructor(...rest: Rest<F.PoissonNLLOptions, typeof poissonNames>) {
    const { logInput = true, full = false, eps = 1e-8, reduction } = settle<F.PoissonNLLOptions>(poissonNames, rest)
    super(reduction)
    this.logInput = logInput
    this.full = full
    this.eps = eps
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.logInput, this.full, this.eps, this.reduction)
  }
}

const gaussianNames = ['full', 'eps', 'reduction'] as const
export class GaussianNLLLoss extends Loss {
  static override readonly attributes: AttributeTable = { full: 'Final[bool]', eps: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.GaussianNLLLoss'
  static readonly torchscript: string = `
def forward(self, input: Tensor, target: Tensor, var: Tensor) -> Tensor:
  assert not bool(torch.any(torch.lt(var, 0))), "var has negative entry/entries"
  spread = var
  if var.size() != input.size():
    if var.dim() == input.dim() - 1:
      spread = torch.unsqueeze(var, -1)
  spread = torch.clamp(spread, min=self.eps)
  loss = torch.mul(torch.log(spread) + torch.pow(input - target, 2) / spread, 0.5)
  if self.full:
    loss = loss + ${0.5 * Math.log(2 * Math.PI)}
${reduceLines
  .trim()
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
`
  readonly full: boolean
  readonly eps: number
  constructor(...rest: Rest<F.GaussianNLLOptions, typeof gaussianNames>) {
    const { full = false, eps = 1e-6, reduction } = settle<F.GaussianNLLOptions>(gaussianNames, rest)
    super(reduction)
    this.full = full
    this.eps = eps
  }
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.full, this.eps, this.reduction)
  }
}

const marginNames = ['margin', 'reduction'] as const
type MarginRest = Rest<F.MarginOptions, typeof marginNames>
class MarginLoss extends Loss {
  static override readonly attributes: AttributeTable = { margin: 'Final[float]' }
  readonly margin: number
  constructor(rest: MarginRest, usual: number) {
    const { margin = usual, reduction } = settle<F.MarginOptions>(marginNames, rest)
    super(reduction)
    this.margin = margin
  }
}
export class MarginRankingLoss extends MarginLoss {
  static readonly pythonName: string = 'torch.nn.modules.loss.MarginRankingLoss'
  static readonly torchscript: string = lossSource(
    'input1: Tensor, input2: Tensor, target: Tensor',
    `
return torch.margin_ranking_loss(input1, input2, target, self.margin, code)
`,
  )
  constructor(...rest: MarginRest) {
    super(rest, 0)
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.marginRankingLoss(input1, input2, target, this.margin, this.reduction)
  }
}

export class HingeEmbeddingLoss extends MarginLoss {
  static readonly pythonName: string = 'torch.nn.modules.loss.HingeEmbeddingLoss'
  static readonly torchscript: string = lossSource(
    'input: Tensor, target: Tensor',
    `
return torch.hinge_embedding_loss(input, target, self.margin, code)
`,
  )
  constructor(...rest: MarginRest) {
    super(rest, 1)
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.hingeEmbeddingLoss(input, target, this.margin, this.reduction)
  }
}

export class CosineEmbeddingLoss extends MarginLoss {
  static readonly pythonName: string = 'torch.nn.modules.loss.CosineEmbeddingLoss'
  static readonly torchscript: string = lossSource(
    'input1: Tensor, input2: Tensor, target: Tensor',
    `
return torch.cosine_embedding_loss(input1, input2, target, self.margin, code)
`,
  )
  constructor(...rest: MarginRest) {
    super(rest, 0)
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosineEmbeddingLoss(input1, input2, target, this.margin, this.reduction)
  }
}

export class MultiLabelSoftMarginLoss extends WeightedLoss {
  static readonly pythonName: string = 'torch.nn.modules.loss.MultiLabelSoftMarginLoss'
  static readonly torchscript: string = `
def forward(self, input: Tensor, target: Tensor) -> Tensor:
  loss = torch.neg(target * torch.log_sigmoid(input) + (1 - target) * torch.log_sigmoid(torch.neg(input)))
  weight = self.weight
  if weight is not None:
    loss = loss * weight
  last = input.dim() - 1
  loss = torch.sum(loss, [last]) / input.size(last)
${reduceLines
  .trim()
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
`
  constructor(...rest: Rest<F.BCEOptions, typeof bceNames>) {
    const { weight, reduction } = settle<F.BCEOptions>(bceNames, rest)
    super(weight, reduction)
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelSoftMarginLoss(input, target, this.weight, this.reduction)
  }
}

const multiMarginNames = ['p', 'margin', 'weight', 'reduction'] as const
export class MultiMarginLoss extends WeightedLoss {
  static override readonly attributes: AttributeTable = { p: 'Final[int]', margin: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.MultiMarginLoss'
  static readonly torchscript: string = lossSource(
    pair,
    `
return torch.multi_margin_loss(input, target, self.p, self.margin, self.weight, code)
`,
  )
  readonly p: 1 | 2
  readonly margin: number
  constructor(...rest: Rest<F.MultiMarginOptions, typeof multiMarginNames>) {
    const { p = 1, margin = 1, weight, reduction } = settle<F.MultiMarginOptions>(multiMarginNames, rest)
    super(weight, reduction)
    this.p = p
    this.margin = margin
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multiMarginLoss(input, target, this.p, this.margin, this.weight, this.reduction)
  }
}

const tripletNames = ['margin', 'p', 'eps', 'swap', 'reduction'] as const
export class TripletMarginLoss extends Loss {
  static override readonly attributes: AttributeTable = {
    margin: 'Final[float]',
    p: 'Final[float]',
    eps: 'Final[float]',
    swap: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.loss.TripletMarginLoss'
  static readonly torchscript: string = lossSource(
    'anchor: Tensor, positive: Tensor, negative: Tensor',
    `
return torch.triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps, self.swap, code)
`,
  )
  readonly margin: number
  readonly p: number
  readonly eps: number
  readonly swap: boolean
  constructor(...rest: Rest<F.TripletOptions, typeof tripletNames>) {
    const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = settle<F.TripletOptions>(tripletNames, rest)
    super(reduction)
    this.margin = margin
    this.p = p
    this.eps = eps
    this.swap = swap
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.margin, this.p, this.eps, this.swap, this.reduction)
  }
}

/** A triplet loss with a distance of one's own, which TorchScript has no type for: it can be traced, not scripted. */
export class TripletMarginWithDistanceLoss extends Loss {
  static override readonly attributes: AttributeTable = { distanceFunction: 'Module', margin: 'Final[float]', swap: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.loss.TripletMarginWithDistanceLoss'
  readonly distanceFunction: Module | ((a: Tensor, b: Tensor) => Tensor)
  readonly margin: number
  readonly swap: boolean
  constructor(options: F.TripletDistanceOptions = {}) {
    const { distanceFunction = null, margin = 1, swap = false, reduction } = options
    super(reduction)
    this.distanceFunction = distanceFunction ?? new PairwiseDistance()
    this.margin = margin
    this.swap = swap
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, swap, reduction, distanceFunction: given } = this
    const distanceFunction = given instanceof Module ? (a: Tensor, b: Tensor): Tensor => given.forward(a, b) as Tensor : given
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction })
  }
}

const ctcNames = ['blank', 'reduction', 'zeroInfinity'] as const
export class CTCLoss extends Loss {
  static override readonly attributes: AttributeTable = { blank: 'Final[int]', zeroInfinity: 'bool' }
  static readonly pythonName: string = 'torch.nn.modules.loss.CTCLoss'
  static readonly torchscript: string = lossSource(
    'log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor',
    `
return torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, code, self.zero_infinity)
`,
  )
  readonly blank: number
  readonly zeroInfinity: boolean
  constructor(...rest: Rest<F.CTCOptions, typeof ctcNames>) {
    const { blank = 0, reduction, zeroInfinity = false } = settle<F.CTCOptions>(ctcNames, rest)
    super(reduction)
    this.blank = blank
    this.zeroInfinity = zeroInfinity
  }
  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ): Tensor {
    return F.ctcLoss(logProbs, targets, inputLengths, targetLengths, this.blank, this.reduction, this.zeroInfinity)
  }
}
