import { full } from '../../operators/functions.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { className } from '../attributes.js'
import { plainShape } from '../eager.js'
import type { LoadState, Module } from '../module.js'
import { type IntList, type Rest, settle } from '../options.js'
import { isLazy, UninitializedBuffer, UninitializedParameter } from '../uninitialized.js'
import {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvLayerOptions,
  type ConvLayerRest,
  type ConvNd,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeLayerOptions,
  type ConvTransposeLayerRest,
} from './conv.js'
import { Linear, type LinearOptions } from './linear.js'
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormLayerOptions,
  type BatchNormLayerRest,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
} from './normalization.js'
import { batchNormLayerNames, convLayerNames, convTransposeLayerNames, linearNames } from './option-names.js'

/**
 * Layers that take the number of their inputs from the first input. Their parameters have no shape until the first forward, in which the layer
 * becomes one of the plain class, or until a state dict is loaded, which does the same.
 */

/** What lazy layers share. */
interface Lazy extends Module {
  /** Gives parameters that have no shape one that fits the input. */
  initializeParameters(input: Tensor): void
}
const hasUninitialized = (module: Module): boolean => [...module.ownParameters().values(), ...module.ownBuffers().values()].some(isLazy)

/** A layer is of the plain class from its first input on. */
function become(module: Lazy, plain: { readonly prototype: object }, input: Tensor): void {
  const parameters = [...module.ownParameters()]
  const missing = parameters.filter(([, parameter]) => isLazy(parameter)).map(([name]) => name)
  // Initial values would replace what was loaded.
  if (missing.length > 0 && missing.length < parameters.length)
    throw new ArgumentError(`module ${className(module)} has not been fully initialized: a state dict without ${missing.join()} was loaded`)
  module.initializeParameters(input)
  if (hasUninitialized(module)) throw new ArgumentError(`module ${className(module)} has not been fully initialized`)
  Object.setPrototypeOf(module, plain.prototype)
}
/** The same when a state dict has given shapes to all parameters. */
function becomeLoaded(module: Lazy, plain: { readonly prototype: object }, fields: () => Readonly<Record<string, unknown>>): void {
  if (hasUninitialized(module) || module.ownParameters().size + module.ownBuffers().size === 0) return
  assign(module, fields())
  Object.setPrototypeOf(module, plain.prototype)
}
function materialize(tensor: Tensor | null, shape: readonly number[]): void {
  if (isLazy(tensor)) tensor.materialize(shape)
}
/** Fields that only lazy layers write to after they are made. */
const assign = (module: Module, fields: Readonly<Record<string, unknown>>): void => void Object.assign(module, fields)

/** `Linear` that takes `inFeatures` from its first input. */
export class LazyLinear extends Linear {
  static override readonly pythonName: string = 'torch.nn.modules.linear.LazyLinear'
  constructor(outFeatures: number, ...rest: Rest<LinearOptions, typeof linearNames>) {
    const { bias = true, dtype } = settle<LinearOptions>(linearNames, rest)
    super(0, 0, { bias: false, dtype })
    assign(this, { outFeatures, weight: new UninitializedParameter({ dtype }) })
    if (bias) this.bias = new UninitializedParameter({ dtype })
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    if (!hasUninitialized(this)) return
    const inFeatures = plainShape(input).at(-1)!
    assign(this, { inFeatures })
    materialize(this.weight, [this.outFeatures, inFeatures])
    materialize(this.bias, [this.outFeatures])
    this.resetParameters()
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, Linear, () => ({ inFeatures: plainShape(this.weight)[1] }))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyLinear) become(this, Linear, input)
    return super.forward(input)
  }
}

function makeConvLazy(module: ConvNd, outChannels: number, { bias = true, dtype }: ConvLayerOptions | ConvTransposeLayerOptions): void {
  assign(module, { outChannels, weight: new UninitializedParameter({ dtype }) })
  if (bias) module.bias = new UninitializedParameter({ dtype })
}
const loadedConv = ({ weight, transposed, groups }: ConvNd): { inChannels: number } => ({
  inChannels: transposed ? plainShape(weight)[0] : plainShape(weight)[1] * groups,
})
function initializeConv(module: ConvNd, input: Tensor): void {
  if (!hasUninitialized(module)) return
  const { kernelSize, groups, outChannels, transposed } = module
  const shape = plainShape(input)
  const dims = kernelSize.length
  if (shape.length !== dims + 1 && shape.length !== dims + 2)
    throw new ArgumentError(
      `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${className(module)}, but got input of size: torch.Size([${shape.join(', ')}])`,
    )
  const inChannels = shape[shape.length - dims - 1]
  assign(module, { inChannels })
  if (inChannels % groups !== 0) throw new ArgumentError('in_channels must be divisible by groups')
  const channels = transposed ? [inChannels, Math.floor(outChannels / groups)] : [outChannels, Math.floor(inChannels / groups)]
  materialize(module.weight, [...channels, ...kernelSize])
  materialize(module.bias, [outChannels])
  module.resetParameters()
}

/** `Conv1d` that takes `inChannels` from its first input. */
export class LazyConv1d extends Conv1d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv1d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    const options = settle<ConvLayerOptions>(convLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, Conv1d, () => loadedConv(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyConv1d) become(this, Conv1d, input)
    return super.forward(input)
  }
}

/** `Conv2d` that takes `inChannels` from its first input. */
export class LazyConv2d extends Conv2d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv2d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    const options = settle<ConvLayerOptions>(convLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, Conv2d, () => loadedConv(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyConv2d) become(this, Conv2d, input)
    return super.forward(input)
  }
}

/** `Conv3d` that takes `inChannels` from its first input. */
export class LazyConv3d extends Conv3d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv3d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    const options = settle<ConvLayerOptions>(convLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, Conv3d, () => loadedConv(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyConv3d) become(this, Conv3d, input)
    return super.forward(input)
  }
}

/** `ConvTranspose1d` that takes `inChannels` from its first input. */
export class LazyConvTranspose1d extends ConvTranspose1d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose1d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    const options = settle<ConvTransposeLayerOptions>(convTransposeLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, ConvTranspose1d, () => loadedConv(this))
  }
  override forward(input: Tensor, outputSize: readonly number[] | null = null): Tensor {
    if (this instanceof LazyConvTranspose1d) become(this, ConvTranspose1d, input)
    return super.forward(input, outputSize)
  }
}

/** `ConvTranspose2d` that takes `inChannels` from its first input. */
export class LazyConvTranspose2d extends ConvTranspose2d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose2d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    const options = settle<ConvTransposeLayerOptions>(convTransposeLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, ConvTranspose2d, () => loadedConv(this))
  }
  override forward(input: Tensor, outputSize: readonly number[] | null = null): Tensor {
    if (this instanceof LazyConvTranspose2d) become(this, ConvTranspose2d, input)
    return super.forward(input, outputSize)
  }
}

/** `ConvTranspose3d` that takes `inChannels` from its first input. */
export class LazyConvTranspose3d extends ConvTranspose3d {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose3d'
  constructor(outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    const options = settle<ConvTransposeLayerOptions>(convTransposeLayerNames, rest)
    super(0, 0, kernelSize, { ...options, bias: false })
    makeConvLazy(this, outChannels, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.inChannels !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeConv(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, ConvTranspose3d, () => loadedConv(this))
  }
  override forward(input: Tensor, outputSize: readonly number[] | null = null): Tensor {
    if (this instanceof LazyConvTranspose3d) become(this, ConvTranspose3d, input)
    return super.forward(input, outputSize)
  }
}

type Norm = BatchNorm1d | InstanceNorm1d
/** Without what `makeNormLazy` puts in. */
const bareNorm = (options: BatchNormLayerOptions): BatchNormLayerOptions => ({
  ...options,
  affine: false,
  trackRunningStats: false,
  bias: false,
})
/** Instance normalization too has weights and running statistics unless told otherwise. */
function makeNormLazy(module: Norm, { affine = true, trackRunningStats = true, bias = true, dtype }: BatchNormLayerOptions): void {
  assign(module, { affine, trackRunningStats })
  if (affine) module.weight = new UninitializedParameter({ dtype })
  if (affine && bias) module.bias = new UninitializedParameter({ dtype })
  if (!trackRunningStats) return
  module.registerBuffer('runningMean', new UninitializedBuffer({ dtype }))
  module.registerBuffer('runningVar', new UninitializedBuffer({ dtype }))
  module.registerBuffer('numBatchesTracked', full([], 0n))
}
const loadedNorm = ({ weight, runningMean }: Norm): { numFeatures: number } => ({ numFeatures: plainShape((weight ?? runningMean)!)[0] })
function initializeNorm(module: Norm, input: Tensor): void {
  if (!hasUninitialized(module)) return
  const numFeatures = plainShape(input)[1]
  assign(module, { numFeatures })
  for (const tensor of [module.weight, module.bias, module.runningMean, module.runningVar]) materialize(tensor, [numFeatures])
  module.resetParameters()
}

/** `BatchNorm1d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm1d extends BatchNorm1d {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm1d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, BatchNorm1d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyBatchNorm1d) become(this, BatchNorm1d, input)
    return super.forward(input)
  }
}

/** `BatchNorm2d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm2d extends BatchNorm2d {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm2d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, BatchNorm2d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyBatchNorm2d) become(this, BatchNorm2d, input)
    return super.forward(input)
  }
}

/** `BatchNorm3d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm3d extends BatchNorm3d {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm3d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, BatchNorm3d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyBatchNorm3d) become(this, BatchNorm3d, input)
    return super.forward(input)
  }
}

/** `InstanceNorm1d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm1d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, InstanceNorm1d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyInstanceNorm1d) become(this, InstanceNorm1d, input)
    return super.forward(input)
  }
}

/** `InstanceNorm2d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm2d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, InstanceNorm2d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyInstanceNorm2d) become(this, InstanceNorm2d, input)
    return super.forward(input)
  }
}

/** `InstanceNorm3d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm3d'
  constructor(...rest: BatchNormLayerRest) {
    const options = settle<BatchNormLayerOptions>(batchNormLayerNames, rest)
    super(0, bareNorm(options))
    makeNormLazy(this, options)
  }
  override resetParameters(): void {
    if (!hasUninitialized(this) && this.numFeatures !== 0) super.resetParameters()
  }
  initializeParameters(input: Tensor): void {
    initializeNorm(this, input)
  }
  protected override loadOwnState(state: LoadState, prefix: string): void {
    super.loadOwnState(state, prefix)
    becomeLoaded(this, InstanceNorm3d, () => loadedNorm(this))
  }
  override forward(input: Tensor): Tensor {
    if (this instanceof LazyInstanceNorm3d) become(this, InstanceNorm3d, input)
    return super.forward(input)
  }
}
