import { full, ones, zeros } from '../../operators/functions.js'
import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op, plainShape } from '../eager.js'
import { batchNorm, instanceNorm, localResponseNorm } from '../functional/normalization.js'
import { ones_, zeros_ } from '../init.js'
import { type LoadState, Module } from '../module.js'
import { type IntList, type Rest, settle } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { py, pyFloat } from '../repr.js'
import { batchNormLayerNames } from './option-names.js'

export interface BatchNormLayerOptions {
  eps?: number
  /** null takes the cumulative average. */
  momentum?: number | null
  affine?: boolean
  trackRunningStats?: boolean
  dtype?: DType
  bias?: boolean
}
export type BatchNormLayerRest = Rest<BatchNormLayerOptions, typeof batchNormLayerNames>

/** What batch and instance normalization share: scale, shift and running statistics. */
class NormBase extends Module {
  static override readonly attributes: AttributeTable = {
    numFeatures: 'Final[int]',
    eps: 'Final[float]',
    momentum: 'Final[Optional[float]]',
    affine: 'Final[bool]',
    trackRunningStats: 'Final[bool]',
    runningMean: 'Optional[Tensor]',
    runningVar: 'Optional[Tensor]',
    numBatchesTracked: 'Optional[Tensor]',
  }
  readonly numFeatures: number
  readonly eps: number
  readonly momentum: number | null
  readonly affine: boolean
  readonly trackRunningStats: boolean
  weight: Parameter | null
  bias: Parameter | null
  declare runningMean: Tensor | null
  declare runningVar: Tensor | null
  declare numBatchesTracked: Tensor | null

  constructor(numFeatures: number, options: Required<Omit<BatchNormLayerOptions, 'dtype'>> & { dtype?: DType }) {
    super()
    const { eps, momentum, affine, trackRunningStats, dtype, bias } = options
    this.numFeatures = numFeatures
    this.eps = eps
    this.momentum = momentum
    this.affine = affine
    this.trackRunningStats = trackRunningStats
    this.weight = affine ? emptyParameter([numFeatures], dtype) : null
    this.bias = affine && bias ? emptyParameter([numFeatures], dtype) : null
    if (this.weight === null) this.registerParameter('weight', null)
    if (this.bias === null) this.registerParameter('bias', null)
    this.registerBuffer('runningMean', trackRunningStats ? zeros([numFeatures], { dtype }) : null)
    this.registerBuffer('runningVar', trackRunningStats ? ones([numFeatures], { dtype }) : null)
    this.registerBuffer('numBatchesTracked', trackRunningStats ? full([], 0n) : null)
    this.resetParameters()
  }
  resetRunningStats(): void {
    if (!this.trackRunningStats) return
    zeros_(this.runningMean!)
    ones_(this.runningVar!)
    op('zero_', this.numBatchesTracked)
  }
  resetParameters(): void {
    this.resetRunningStats()
    if (this.weight !== null) ones_(this.weight)
    if (this.bias !== null) zeros_(this.bias)
  }
  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pyFloat(this.momentum)
    const flags = `affine=${py(this.affine)}, bias=${py(this.bias !== null)}, track_running_stats=${py(this.trackRunningStats)}`
    return `${this.numFeatures}, eps=${pyFloat(this.eps)}, momentum=${momentum}, ${flags}`
  }
  /** Files of PyTorch before 0.4.1 do not have the count of batches. */
  protected override loadOwnState(state: LoadState, prefix: string): void {
    const key = `${prefix}num_batches_tracked`
    if (this.trackRunningStats && this.numBatchesTracked !== null && !state.entries.has(key)) state.entries.set(key, this.numBatchesTracked)
    super.loadOwnState(state, prefix)
  }
}

const batchSource = (dims: readonly number[]): string => `
def forward(self, input: Tensor) -> Tensor:
  dims = input.dim()
  assert ${dims.map((n) => `dims == ${n}`).join(' or ')}, "expected ${dims.map((n) => `${n}D`).join(' or ')} input"
  average_factor = 0.0
  momentum = self.momentum
  if momentum is not None:
    average_factor = momentum
  if self.training and self.track_running_stats:
    counter = self.num_batches_tracked
    if counter is not None:
      counter.add_(1)
      if momentum is None:
        average_factor = 1.0 / float(counter)
  bn_training = True
  if not self.training:
    bn_training = self.running_mean is None and self.running_var is None
  running_mean = self.running_mean
  running_var = self.running_var
  if self.training and not self.track_running_stats:
    running_mean = None
    running_var = None
  return torch.batch_norm(input, self.weight, self.bias, running_mean, running_var, bn_training, average_factor, self.eps, True)
`

class BatchNorm extends NormBase {
  /** Numbers of dimensions that inputs may have. */
  protected static readonly inputDims: readonly number[] = []
  constructor(numFeatures: number, ...rest: BatchNormLayerRest) {
    super(numFeatures, {
      eps: 1e-5,
      momentum: 0.1,
      affine: true,
      trackRunningStats: true,
      bias: true,
      ...settle<BatchNormLayerOptions>(batchNormLayerNames, rest),
    })
  }
  override forward(input: Tensor): Tensor {
    const { inputDims } = this.constructor as typeof BatchNorm
    if (!inputDims.includes(input.dim()))
      throw new ArgumentError(`expected ${inputDims.map((n) => `${n}D`).join(' or ')} input (got ${input.dim()}D input)`)
    const { training, trackRunningStats, runningMean, runningVar, momentum, eps } = this
    let factor = momentum ?? 0
    if (training && trackRunningStats && this.numBatchesTracked !== null) {
      op('add_', this.numBatchesTracked, 1)
      if (momentum === null) factor = 1 / Number(this.numBatchesTracked.item())
    }
    const usesBatch = training || (runningMean === null && runningVar === null)
    const tracks = !training || trackRunningStats
    return batchNorm(input, tracks ? runningMean : null, tracks ? runningVar : null, this.weight, this.bias, usesBatch, factor, eps)
  }
}

export class BatchNorm1d extends BatchNorm {
  static readonly pythonName: string = 'torch.nn.modules.batchnorm.BatchNorm1d'
  static readonly torchscript: string = batchSource([2, 3])
  protected static override readonly inputDims: readonly number[] = [2, 3]
}
export class BatchNorm2d extends BatchNorm {
  static readonly pythonName: string = 'torch.nn.modules.batchnorm.BatchNorm2d'
  static readonly torchscript: string = batchSource([4])
  protected static override readonly inputDims: readonly number[] = [4]
}
export class BatchNorm3d extends BatchNorm {
  static readonly pythonName: string = 'torch.nn.modules.batchnorm.BatchNorm3d'
  static readonly torchscript: string = batchSource([5])
  protected static override readonly inputDims: readonly number[] = [5]
}

/** Batch normalization over several processes; in one process it is plain batch normalization of any number of dimensions. */
export class SyncBatchNorm extends BatchNorm {
  static readonly pythonName: string = 'torch.nn.modules.batchnorm.SyncBatchNorm'
  static readonly torchscript: string = batchSource([2, 3, 4, 5])
  protected static override readonly inputDims: readonly number[] = [2, 3, 4, 5]
}

const instanceSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tensor:
  dims = input.dim()
  assert dims == ${dims + 1} or dims == ${dims + 2}, "expected ${dims + 1}D or ${dims + 2}D input"
  momentum = self.momentum
  factor = 0.0
  if momentum is not None:
    factor = momentum
  use_input_stats = self.training or not self.track_running_stats
  if dims == ${dims + 1}:
    return torch.instance_norm(input.unsqueeze(0), self.weight, self.bias, self.running_mean, self.running_var, use_input_stats, factor, self.eps, True).squeeze(0)
  return torch.instance_norm(input, self.weight, self.bias, self.running_mean, self.running_var, use_input_stats, factor, self.eps, True)
`

class InstanceNorm extends NormBase {
  protected static readonly spatialDims: number = 0
  constructor(numFeatures: number, ...rest: BatchNormLayerRest) {
    super(numFeatures, {
      eps: 1e-5,
      momentum: 0.1,
      affine: false,
      trackRunningStats: false,
      bias: true,
      ...settle<BatchNormLayerOptions>(batchNormLayerNames, rest),
    })
  }
  override forward(input: Tensor): Tensor {
    const dims = input.dim()
    const plain = (this.constructor as typeof InstanceNorm).spatialDims + 1
    if (dims !== plain && dims !== plain + 1) throw new ArgumentError(`expected ${plain}D or ${plain + 1}D input (got ${dims}D input)`)
    const { runningMean, runningVar, weight, bias, momentum, eps } = this
    const usesInput = this.training || !this.trackRunningStats
    const channels = plainShape(input)[dims - plain]
    if (channels !== this.numFeatures && this.affine)
      throw new ArgumentError(
        `expected input's size at dim=${dims - plain} to match num_features (${this.numFeatures}), but got: ${channels}.`,
      )
    const run = (batch: Tensor): Tensor => instanceNorm(batch, runningMean, runningVar, weight, bias, usesInput, momentum ?? 0, eps)
    return dims === plain ? op('squeeze', run(op('unsqueeze', input, 0)), 0) : run(input)
  }
}
export class InstanceNorm1d extends InstanceNorm {
  static readonly pythonName: string = 'torch.nn.modules.instancenorm.InstanceNorm1d'
  static readonly torchscript: string = instanceSource(1)
  protected static override readonly spatialDims: number = 1
}
export class InstanceNorm2d extends InstanceNorm {
  static readonly pythonName: string = 'torch.nn.modules.instancenorm.InstanceNorm2d'
  static readonly torchscript: string = instanceSource(2)
  protected static override readonly spatialDims: number = 2
}
export class InstanceNorm3d extends InstanceNorm {
  static readonly pythonName: string = 'torch.nn.modules.instancenorm.InstanceNorm3d'
  static readonly torchscript: string = instanceSource(3)
  protected static override readonly spatialDims: number = 3
}

export interface LayerNormLayerOptions {
  eps?: number
  elementwiseAffine?: boolean
  bias?: boolean
  dtype?: DType
}
const layerNames = ['eps', 'elementwiseAffine', 'bias', 'dtype'] as const
const shapeOf = (shape: IntList): number[] => (typeof shape === 'number' ? [shape] : [...shape])

export class LayerNorm extends Module {
  static override readonly attributes: AttributeTable = {
    normalizedShape: 'Final[Tuple[int, ...]]',
    eps: 'Final[float]',
    elementwiseAffine: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.normalization.LayerNorm'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps, True)
`
  readonly normalizedShape: number[]
  readonly eps: number
  readonly elementwiseAffine: boolean
  weight: Parameter | null
  bias: Parameter | null

  constructor(normalizedShape: IntList, ...rest: Rest<LayerNormLayerOptions, typeof layerNames>) {
    super()
    const { eps = 1e-5, elementwiseAffine = true, bias = true, dtype } = settle<LayerNormLayerOptions>(layerNames, rest)
    this.normalizedShape = shapeOf(normalizedShape)
    this.eps = eps
    this.elementwiseAffine = elementwiseAffine
    this.weight = elementwiseAffine ? emptyParameter(this.normalizedShape, dtype) : null
    this.bias = elementwiseAffine && bias ? emptyParameter(this.normalizedShape, dtype) : null
    if (this.weight === null) this.registerParameter('weight', null)
    if (this.bias === null) this.registerParameter('bias', null)
    this.resetParameters()
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight)
    if (this.bias !== null) zeros_(this.bias)
  }
  override forward(input: Tensor): Tensor {
    return op('layer_norm', input, this.normalizedShape, this.weight, this.bias, this.eps, true)
  }
  override extraRepr(): string {
    return `${py(this.normalizedShape)}, eps=${pyFloat(this.eps)}, elementwise_affine=${py(this.elementwiseAffine)}, bias=${py(this.bias !== null)}`
  }
}

export interface GroupNormLayerOptions {
  eps?: number
  affine?: boolean
  dtype?: DType
  bias?: boolean
}
const groupNames = ['eps', 'affine', 'dtype', 'bias'] as const

export class GroupNorm extends Module {
  static override readonly attributes: AttributeTable = {
    numGroups: 'Final[int]',
    numChannels: 'Final[int]',
    eps: 'Final[float]',
    affine: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.normalization.GroupNorm'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps, True)
`
  readonly numGroups: number
  readonly numChannels: number
  readonly eps: number
  readonly affine: boolean
  weight: Parameter | null
  bias: Parameter | null

  constructor(numGroups: number, numChannels: number, ...rest: Rest<GroupNormLayerOptions, typeof groupNames>) {
    super()
    const { eps = 1e-5, affine = true, dtype, bias = true } = settle<GroupNormLayerOptions>(groupNames, rest)
    if (numChannels % numGroups !== 0)
      throw new ArgumentError(`num_channels (${numChannels}) must be divisible by num_groups (${numGroups})`)
    this.numGroups = numGroups
    this.numChannels = numChannels
    this.eps = eps
    this.affine = affine
    this.weight = affine ? emptyParameter([numChannels], dtype) : null
    this.bias = affine && bias ? emptyParameter([numChannels], dtype) : null
    if (this.weight === null) this.registerParameter('weight', null)
    if (this.bias === null) this.registerParameter('bias', null)
    this.resetParameters()
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight)
    if (this.bias !== null) zeros_(this.bias)
  }
  override forward(input: Tensor): Tensor {
    return op('group_norm', input, this.numGroups, this.weight, this.bias, this.eps, true)
  }
  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${pyFloat(this.eps)}, affine=${py(this.affine)}, bias=${py(this.bias !== null)}`
  }
}

export interface RMSNormLayerOptions {
  /** null takes the dtype's own epsilon. */
  eps?: number | null
  elementwiseAffine?: boolean
  dtype?: DType
}
const rmsNames = ['eps', 'elementwiseAffine', 'dtype'] as const

export class RMSNorm extends Module {
  static override readonly attributes: AttributeTable = {
    normalizedShape: 'Final[Tuple[int, ...]]',
    eps: 'Final[Optional[float]]',
    elementwiseAffine: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.normalization.RMSNorm'
  static readonly torchscript: string = `
def forward(self, x: Tensor) -> Tensor:
  return torch.rms_norm(x, self.normalized_shape, self.weight, self.eps)
`
  readonly normalizedShape: number[]
  readonly eps: number | null
  readonly elementwiseAffine: boolean
  weight: Parameter | null

  constructor(normalizedShape: IntList, ...rest: Rest<RMSNormLayerOptions, typeof rmsNames>) {
    super()
    const { eps = null, elementwiseAffine = true, dtype } = settle<RMSNormLayerOptions>(rmsNames, rest)
    this.normalizedShape = shapeOf(normalizedShape)
    this.eps = eps
    this.elementwiseAffine = elementwiseAffine
    this.weight = elementwiseAffine ? emptyParameter(this.normalizedShape, dtype) : null
    if (this.weight === null) this.registerParameter('weight', null)
    this.resetParameters()
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight)
  }
  override forward(input: Tensor): Tensor {
    return op('rms_norm', input, this.normalizedShape, this.weight, this.eps)
  }
  override extraRepr(): string {
    const eps = this.eps === null ? 'None' : pyFloat(this.eps)
    return `${py(this.normalizedShape)}, eps=${eps}, elementwise_affine=${py(this.elementwiseAffine)}`
  }
}

export interface LocalResponseNormLayerOptions {
  alpha?: number
  beta?: number
  k?: number
}
const lrnNames = ['alpha', 'beta', 'k'] as const

export class LocalResponseNorm extends Module {
  static override readonly attributes: AttributeTable = {
    size: 'Final[int]',
    alpha: 'Final[float]',
    beta: 'Final[float]',
    k: 'Final[float]',
  }
  static readonly pythonName: string = 'torch.nn.modules.normalization.LocalResponseNorm'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  dims = input.dim()
  assert dims >= 3, "Expected 3D or higher dimensionality input"
  if input.numel() == 0:
    return input
  div = input.mul(input)
  if dims == 3:
    div = div.unsqueeze(1)
    div = torch.pad(div, [0, 0, self.size // 2, (self.size - 1) // 2])
    div = torch.avg_pool2d(div, [self.size, 1], [1, 1]).squeeze(1)
  else:
    sizes = input.size()
    div = div.view([sizes[0], 1, sizes[1], sizes[2], -1])
    div = torch.pad(div, [0, 0, 0, 0, self.size // 2, (self.size - 1) // 2])
    div = torch.avg_pool3d(div, [self.size, 1, 1], [1, 1, 1]).squeeze(1)
    div = div.view(sizes)
  return input / div.mul(self.alpha).add(self.k).pow(self.beta)
`
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number
  constructor(size: number, ...rest: Rest<LocalResponseNormLayerOptions, typeof lrnNames>) {
    super()
    const { alpha = 1e-4, beta = 0.75, k = 1 } = settle<LocalResponseNormLayerOptions>(lrnNames, rest)
    this.size = size
    this.alpha = alpha
    this.beta = beta
    this.k = k
  }
  override forward(input: Tensor): Tensor {
    return localResponseNorm(input, this.size, this.alpha, this.beta, this.k)
  }
  override extraRepr(): string {
    return `${this.size}, alpha=${pyFloat(this.alpha)}, beta=${pyFloat(this.beta)}, k=${pyFloat(this.k)}`
  }
}

/** Divides by the squares of neighbouring channels, as Torch7 and Caffe do. */
export class CrossMapLRN2d extends Module {
  static override readonly attributes: AttributeTable = { size: 'int', alpha: 'float', beta: 'float', k: 'float' }
  static readonly pythonName: string = 'torch.nn.modules.normalization.CrossMapLRN2d'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  assert input.dim() == 4, "CrossMapLRN2d: Expected input to be 4D"
  channels = input.size(1)
  square = torch.pow(input, 2)
  ahead = (self.size - 1) // 2 + 1
  total = torch.zeros_like(torch.select(input, 1, 0))
  for c in range(min(ahead, channels)):
    total = total + torch.select(square, 1, c)
  scales = [total]
  for c in range(1, channels):
    if c < channels - ahead + 1:
      total = total + torch.select(square, 1, c + ahead - 1)
    if c > ahead:
      total = total - torch.select(square, 1, c - ahead)
    scales.append(total)
  scale = torch.stack(scales, 1).mul(self.alpha / self.size).add(self.k)
  return torch.pow(scale, -self.beta).mul(input)
`
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number
  constructor(size: number, ...rest: Rest<LocalResponseNormLayerOptions, typeof lrnNames>) {
    super()
    const { alpha = 1e-4, beta = 0.75, k = 1 } = settle<LocalResponseNormLayerOptions>(lrnNames, rest)
    this.size = size
    this.alpha = alpha
    this.beta = beta
    this.k = k
  }
  override forward(input: Tensor): Tensor {
    if (input.dim() !== 4) throw new ArgumentError(`CrossMapLRN2d: Expected input to be 4D, got ${input.dim()}D instead.`)
    const channels = plainShape(input)[1]
    const square = op('pow', input, 2)
    const squares = (channel: number): Tensor => op('select', square, 1, channel)
    const ahead = Math.floor((this.size - 1) / 2) + 1
    let total = op('zeros_like', op('select', input, 1, 0))
    for (let c = 0; c < Math.min(ahead, channels); c++) total = op('add', total, squares(c))
    const scales = [total]
    for (let c = 1; c < channels; c++) {
      if (c < channels - ahead + 1) total = op('add', total, squares(c + ahead - 1))
      // The first channel of all stays in the sum, as in PyTorch.
      if (c > ahead) total = op('sub', total, squares(c - ahead))
      scales.push(total)
    }
    const scale = op('add', op('mul', op('stack', scales, 1), this.alpha / this.size), this.k)
    return op('mul', op('pow', scale, -this.beta), input)
  }
  override extraRepr(): string {
    return `${this.size}, alpha=${py(this.alpha)}, beta=${py(this.beta)}, k=${py(this.k)}`
  }
}
