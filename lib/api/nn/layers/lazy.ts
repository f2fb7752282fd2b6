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

type LayerClass<M extends object> = { readonly pythonName: string; readonly prototype: M }
interface LazyStatics<M extends object> {
  readonly pythonName: string
  readonly prototype: M & Lazy
}
/** How one kind of layer is made of the first input, and what its fields are when a state dict has given it shapes. */
interface Kind<Args extends readonly unknown[], M extends object> {
  /** Arguments of a plain layer without inputs and parameters. */
  bare(...args: Args): unknown[]
  /** Gives it parameters without shapes. */
  make(module: M, ...args: Args): void
  initialize(module: M, input: Tensor): void
  loaded(module: M): Readonly<Record<string, unknown>>
  /** How many inputs the layer has, 0 before it knows. */
  inputs(module: M): number
}
/** `plain`, made by its first input. */
function lazy<Args extends readonly unknown[], M extends object>(
  plain: LayerClass<M>,
  kind: Kind<Args, NoInfer<M>>,
): LazyStatics<M> & (new (...args: Args) => M & Lazy) {
  const Base = plain as unknown as new (...args: unknown[]) => Module & { resetParameters(): void }
  class LazyLayer extends Base implements Lazy {
    constructor(...args: Args) {
      super(...kind.bare(...args))
      kind.make(this as unknown as M, ...args)
    }
    override resetParameters(): void {
      if (!hasUninitialized(this) && kind.inputs(this as unknown as M) !== 0) super.resetParameters()
    }
    initializeParameters(input: Tensor): void {
      if (hasUninitialized(this)) kind.initialize(this as unknown as M, input)
    }
    protected override loadOwnState(state: LoadState, prefix: string): void {
      super.loadOwnState(state, prefix)
      becomeLoaded(this, plain, () => kind.loaded(this as unknown as M))
    }
    override forward(...inputs: unknown[]): unknown {
      if (this instanceof LazyLayer) become(this, plain, inputs[0] as Tensor)
      return super.forward(...inputs)
    }
  }
  return LazyLayer as unknown as LazyStatics<M> & (new (...args: Args) => M & Lazy)
}

/** `Linear` that takes `inFeatures` from its first input. */
export class LazyLinear extends lazy<[outFeatures: number, ...rest: Rest<LinearOptions, typeof linearNames>], Linear>(Linear, {
  bare: (_, ...rest) => [0, 0, { bias: false, dtype: settle<LinearOptions>(linearNames, rest).dtype }],
  make(module, outFeatures, ...rest) {
    const { bias = true, dtype } = settle<LinearOptions>(linearNames, rest)
    assign(module, { outFeatures, weight: new UninitializedParameter({ dtype }) })
    if (bias) module.bias = new UninitializedParameter({ dtype })
  },
  initialize(module, input) {
    const inFeatures = plainShape(input).at(-1)!
    assign(module, { inFeatures })
    materialize(module.weight, [module.outFeatures, inFeatures])
    materialize(module.bias, [module.outFeatures])
    module.resetParameters()
  },
  loaded: (module) => ({ inFeatures: plainShape(module.weight)[1] }),
  inputs: (module) => module.inFeatures,
}) {
  static override readonly pythonName: string = 'torch.nn.modules.linear.LazyLinear'
}

function makeConvLazy(module: ConvNd, outChannels: number, { bias = true, dtype }: ConvLayerOptions | ConvTransposeLayerOptions): void {
  assign(module, { outChannels, weight: new UninitializedParameter({ dtype }) })
  if (bias) module.bias = new UninitializedParameter({ dtype })
}
const loadedConv = ({ weight, transposed, groups }: ConvNd): { inChannels: number } => ({
  inChannels: transposed ? plainShape(weight)[0] : plainShape(weight)[1] * groups,
})
function initializeConv(module: ConvNd, input: Tensor): void {
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

const convKind = <Options extends ConvLayerOptions | ConvTransposeLayerOptions, Others extends readonly unknown[]>(
  settled: (rest: Others) => Options,
): Kind<[outChannels: number, kernelSize: IntList, ...rest: Others], ConvNd> => ({
  bare: (_, kernelSize, ...rest) => [0, 0, kernelSize, { ...settled(rest), bias: false }],
  make: (module, outChannels, _, ...rest) => makeConvLazy(module, outChannels, settled(rest)),
  initialize: initializeConv,
  loaded: loadedConv,
  inputs: (module) => module.inChannels,
})
const plainKind = convKind((rest: ConvLayerRest) => settle<ConvLayerOptions>(convLayerNames, rest))
const transposedKind = convKind((rest: ConvTransposeLayerRest) => settle<ConvTransposeLayerOptions>(convTransposeLayerNames, rest))
const lazyConv = <M extends ConvNd>(
  plain: LayerClass<M>,
): LazyStatics<M> & (new (outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) => M & Lazy) => lazy(plain, plainKind)
const lazyConvTranspose = <M extends ConvNd>(
  plain: LayerClass<M>,
): LazyStatics<M> & (new (outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) => M & Lazy) =>
  lazy(plain, transposedKind)

/** `Conv1d` that takes `inChannels` from its first input. */
export class LazyConv1d extends lazyConv(Conv1d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv1d'
}
/** `Conv2d` that takes `inChannels` from its first input. */
export class LazyConv2d extends lazyConv(Conv2d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv2d'
}
/** `Conv3d` that takes `inChannels` from its first input. */
export class LazyConv3d extends lazyConv(Conv3d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConv3d'
}
/** `ConvTranspose1d` that takes `inChannels` from its first input. */
export class LazyConvTranspose1d extends lazyConvTranspose(ConvTranspose1d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose1d'
}
/** `ConvTranspose2d` that takes `inChannels` from its first input. */
export class LazyConvTranspose2d extends lazyConvTranspose(ConvTranspose2d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose2d'
}
/** `ConvTranspose3d` that takes `inChannels` from its first input. */
export class LazyConvTranspose3d extends lazyConvTranspose(ConvTranspose3d) {
  static override readonly pythonName: string = 'torch.nn.modules.conv.LazyConvTranspose3d'
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
  const numFeatures = plainShape(input)[1]
  assign(module, { numFeatures })
  for (const tensor of [module.weight, module.bias, module.runningMean, module.runningVar]) materialize(tensor, [numFeatures])
  module.resetParameters()
}
const lazyNorm = <M extends Norm>(plain: LayerClass<M>): LazyStatics<M> & (new (...rest: BatchNormLayerRest) => M & Lazy) =>
  lazy<BatchNormLayerRest, M>(plain, {
    bare: (...rest) => [0, bareNorm(settle<BatchNormLayerOptions>(batchNormLayerNames, rest))],
    make: (module, ...rest) => makeNormLazy(module, settle<BatchNormLayerOptions>(batchNormLayerNames, rest)),
    initialize: initializeNorm,
    loaded: loadedNorm,
    inputs: (module) => module.numFeatures,
  })

/** `BatchNorm1d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm1d extends lazyNorm(BatchNorm1d) {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm1d'
}
/** `BatchNorm2d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm2d extends lazyNorm(BatchNorm2d) {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm2d'
}
/** `BatchNorm3d` that takes `numFeatures` from its first input. */
export class LazyBatchNorm3d extends lazyNorm(BatchNorm3d) {
  static override readonly pythonName: string = 'torch.nn.modules.batchnorm.LazyBatchNorm3d'
}
/** `InstanceNorm1d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm1d extends lazyNorm(InstanceNorm1d) {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm1d'
}
/** `InstanceNorm2d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm2d extends lazyNorm(InstanceNorm2d) {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm2d'
}
/** `InstanceNorm3d` that takes `numFeatures` from its first input. It has weights and running statistics by default. */
export class LazyInstanceNorm3d extends lazyNorm(InstanceNorm3d) {
  static override readonly pythonName: string = 'torch.nn.modules.instancenorm.LazyInstanceNorm3d'
}
