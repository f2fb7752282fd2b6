import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op, ops } from '../eager.js'
import * as F from '../functional/pooling.js'
import { Module } from '../module.js'
import { type IntList, type Rest, settle, tuple } from '../options.js'
import { py, pyFloat } from '../repr.js'

/** A size as the repr shows it: one integer, or a tuple. */
type Sizes = number | number[]
const copied = (value: IntList): Sizes => (typeof value === 'number' ? value : [...value])

export interface MaxPoolLayerOptions {
  /** Default: the kernel size. */
  stride?: IntList | null
  padding?: IntList
  dilation?: IntList
  /** Gives where the maxima were as well. */
  returnIndices?: boolean
  ceilMode?: boolean
}
const maxNames = ['stride', 'padding', 'dilation', 'returnIndices', 'ceilMode'] as const
type MaxPoolRest = Rest<MaxPoolLayerOptions, typeof maxNames>

class MaxPool extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Final[Sizes]',
    stride: 'Final[Sizes]',
    padding: 'Final[Sizes]',
    dilation: 'Final[Sizes]',
    returnIndices: 'Final[bool]',
    ceilMode: 'Final[bool]',
  }
  protected static readonly dims: number = 0
  readonly kernelSize: Sizes
  readonly stride: Sizes
  readonly padding: Sizes
  readonly dilation: Sizes
  readonly returnIndices: boolean
  readonly ceilMode: boolean
  constructor(kernelSize: IntList, ...rest: MaxPoolRest) {
    super()
    const {
      stride = null,
      padding = 0,
      dilation = 1,
      returnIndices = false,
      ceilMode = false,
    } = settle<MaxPoolLayerOptions>(maxNames, rest)
    this.kernelSize = copied(kernelSize)
    this.stride = copied(stride ?? kernelSize)
    this.padding = copied(padding)
    this.dilation = copied(dilation)
    this.returnIndices = returnIndices
    this.ceilMode = ceilMode
  }
  /** The maxima; with `returnIndices` a pair of them and their places. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  override forward(input: Tensor): any {
    const { kernelSize, stride, padding, dilation, ceilMode } = this
    const name = `max_pool${(this.constructor as typeof MaxPool).dims}d`
    return this.returnIndices
      ? ops(`${name}_with_indices`, input, kernelSize, stride, padding, dilation, ceilMode)
      : op(name, input, kernelSize, stride, padding, dilation, ceilMode)
  }
  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this
    return `kernel_size=${py(kernelSize)}, stride=${py(stride)}, padding=${py(padding)}, dilation=${py(dilation)}, ceil_mode=${py(ceilMode)}`
  }
}

/** The method with and without indices; the constant `returnIndices` decides which one there is. */
const maxPoolSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tensor:
  return torch.max_pool${dims}d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
`
const maxPoolIndicesSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tuple[Tensor, Tensor]:
  return torch.max_pool${dims}d_with_indices(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
`

export class MaxPool1d extends MaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxPool1d'
  static torchscript(module: MaxPool1d): string {
    return module.returnIndices ? maxPoolIndicesSource(1) : maxPoolSource(1)
  }
  protected static override readonly dims: number = 1
}
export class MaxPool2d extends MaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxPool2d'
  static torchscript(module: MaxPool2d): string {
    return module.returnIndices ? maxPoolIndicesSource(2) : maxPoolSource(2)
  }
  protected static override readonly dims: number = 2
}
export class MaxPool3d extends MaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxPool3d'
  static torchscript(module: MaxPool3d): string {
    return module.returnIndices ? maxPoolIndicesSource(3) : maxPoolSource(3)
  }
  protected static override readonly dims: number = 3
}

export interface AvgPoolLayerOptions {
  stride?: IntList | null
  padding?: IntList
  ceilMode?: boolean
  countIncludePad?: boolean
}
export interface AvgPoolOverrideOptions extends AvgPoolLayerOptions {
  /** Divisor instead of the size of the window. */
  divisorOverride?: number | null
}
const avg1dNames = ['stride', 'padding', 'ceilMode', 'countIncludePad'] as const
const avgNames = ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'] as const

export class AvgPool1d extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Final[Tuple[int]]',
    stride: 'Final[Tuple[int]]',
    padding: 'Final[Tuple[int]]',
    ceilMode: 'Final[bool]',
    countIncludePad: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.pooling.AvgPool1d'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
`
  readonly kernelSize: number[]
  readonly stride: number[]
  readonly padding: number[]
  readonly ceilMode: boolean
  readonly countIncludePad: boolean
  constructor(kernelSize: IntList, ...rest: Rest<AvgPoolLayerOptions, typeof avg1dNames>) {
    super()
    const { stride = null, padding = 0, ceilMode = false, countIncludePad = true } = settle<AvgPoolLayerOptions>(avg1dNames, rest)
    this.kernelSize = tuple(kernelSize, 1, 'kernelSize')
    this.stride = tuple(stride ?? kernelSize, 1, 'stride')
    this.padding = tuple(padding, 1, 'padding')
    this.ceilMode = ceilMode
    this.countIncludePad = countIncludePad
  }
  override forward(input: Tensor): Tensor {
    return op('avg_pool1d', input, this.kernelSize, this.stride, this.padding, this.ceilMode, this.countIncludePad)
  }
  override extraRepr(): string {
    return `kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}, padding=${py(this.padding)}`
  }
}

class AvgPool extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Final[Sizes]',
    stride: 'Final[Sizes]',
    padding: 'Final[Sizes]',
    ceilMode: 'Final[bool]',
    countIncludePad: 'Final[bool]',
    divisorOverride: 'Final[Optional[int]]',
  }
  protected static readonly dims: number = 0
  readonly kernelSize: Sizes
  readonly stride: Sizes
  readonly padding: Sizes
  readonly ceilMode: boolean
  readonly countIncludePad: boolean
  readonly divisorOverride: number | null
  constructor(kernelSize: IntList, ...rest: Rest<AvgPoolOverrideOptions, typeof avgNames>) {
    super()
    const given = settle<AvgPoolOverrideOptions>(avgNames, rest)
    const { stride = null, padding = 0, ceilMode = false, countIncludePad = true, divisorOverride = null } = given
    this.kernelSize = copied(kernelSize)
    this.stride = copied(stride ?? kernelSize)
    this.padding = copied(padding)
    this.ceilMode = ceilMode
    this.countIncludePad = countIncludePad
    this.divisorOverride = divisorOverride
  }
  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this
    const name = `avg_pool${(this.constructor as typeof AvgPool).dims}d`
    return op(name, input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride)
  }
  override extraRepr(): string {
    return `kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}, padding=${py(this.padding)}`
  }
}
const avgPoolSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tensor:
  return torch.avg_pool${dims}d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
`
export class AvgPool2d extends AvgPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AvgPool2d'
  static readonly torchscript: string = avgPoolSource(2)
  protected static override readonly dims: number = 2
}
export class AvgPool3d extends AvgPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AvgPool3d'
  static readonly torchscript: string = avgPoolSource(3)
  protected static override readonly dims: number = 3
}

export interface LPPoolLayerOptions {
  stride?: IntList | null
  ceilMode?: boolean
}
const lpNames = ['stride', 'ceilMode'] as const

class LPPool extends Module {
  static override readonly attributes: AttributeTable = {
    normType: 'Final[float]',
    kernelSize: 'Final[Sizes]',
    stride: 'Final[Optional[Sizes]]',
    ceilMode: 'Final[bool]',
  }
  static torchscript(module: LPPool): string {
    return lpPoolSource(module, (module.constructor as typeof LPPool).dims)
  }
  protected static readonly dims: number = 0
  readonly normType: number
  readonly kernelSize: Sizes
  readonly stride: Sizes | null
  readonly ceilMode: boolean
  constructor(normType: number, kernelSize: IntList, ...rest: Rest<LPPoolLayerOptions, typeof lpNames>) {
    super()
    const { stride = null, ceilMode = false } = settle<LPPoolLayerOptions>(lpNames, rest)
    this.normType = normType
    this.kernelSize = copied(kernelSize)
    this.stride = stride === null ? null : copied(stride)
    this.ceilMode = ceilMode
  }
  override forward(input: Tensor): Tensor {
    const { dims } = this.constructor as typeof LPPool
    const pool = dims === 1 ? F.lpPool1d : dims === 2 ? F.lpPool2d : F.lpPool3d
    return pool(input, this.normType, this.kernelSize, this.stride, this.ceilMode)
  }
  override extraRepr(): string {
    return `norm_type=${pyFloat(this.normType)}, kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}, ceil_mode=${py(this.ceilMode)}`
  }
}
/** The size of the window is a number of the text: it is a constant of the module. */
function lpPoolSource(module: LPPool, dims: number): string {
  const kernel = tuple(module.kernelSize, dims, 'kernelSize')
  const stride = module.stride === null ? kernel : tuple(module.stride, dims, 'stride')
  const zeros = new Array<number>(dims).fill(0)
  const list = (values: number[]): string => `[${values.join(', ')}]`
  const window = kernel.reduce((product, length) => product * length, 1)
  const maxPool = (input: string): string =>
    `torch.max_pool${dims}d(${input}, ${list(kernel)}, ${list(stride)}, ${list(zeros)}, ${list(zeros.map(() => 1))}, self.ceil_mode)`
  return `
def forward(self, input: Tensor) -> Tensor:
  if self.norm_type == float("inf"):
    return ${maxPool('torch.abs(input)')}
  if self.norm_type == float("-inf"):
    return torch.neg(${maxPool('torch.neg(torch.abs(input))')})
  out = torch.avg_pool${dims}d(torch.pow(input, self.norm_type), ${list(kernel)}, ${list(stride)}, ${list(zeros)}, self.ceil_mode)
  return torch.pow(torch.mul(torch.sign(out) * torch.relu(torch.abs(out)), ${window}), 1.0 / self.norm_type)
`
}
export class LPPool1d extends LPPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.LPPool1d'
  protected static override readonly dims: number = 1
}
export class LPPool2d extends LPPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.LPPool2d'
  protected static override readonly dims: number = 2
}
export class LPPool3d extends LPPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.LPPool3d'
  protected static override readonly dims: number = 3
}

/** Output size as adaptive layers keep it. */
type AdaptiveSize = number | null | (number | null)[]
const adaptiveCopy = (size: F.OutputSize): AdaptiveSize =>
  Array.isArray(size) ? [...(size as (number | null)[])] : (size as number | null)
/** The size in TorchScript, with the input's own in place of None. */
const adaptiveText = (size: AdaptiveSize, dims: number): string =>
  `[${(Array.isArray(size) ? size : new Array<number | null>(dims).fill(size)).map((value, i) => value ?? `input.size(${i - dims})`).join(', ')}]`

class AdaptiveAvgPool extends Module {
  static override readonly attributes: AttributeTable = { outputSize: 'Final[OptionalSizes]' }
  protected static readonly dims: number = 0
  readonly outputSize: AdaptiveSize
  constructor(outputSize: F.OutputSize) {
    super()
    this.outputSize = adaptiveCopy(outputSize)
  }
  static torchscript(module: AdaptiveAvgPool): string {
    const { dims } = module.constructor as typeof AdaptiveAvgPool
    return `
def forward(self, input: Tensor) -> Tensor:
  return torch.adaptive_avg_pool${dims}d(input, ${adaptiveText(module.outputSize, dims)})
`
  }
  override forward(input: Tensor): Tensor {
    const { dims } = this.constructor as typeof AdaptiveAvgPool
    return op(`adaptive_avg_pool${dims}d`, input, F.fullOutputSize(input, this.outputSize, dims))
  }
  override extraRepr(): string {
    return `output_size=${py(this.outputSize)}`
  }
}
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveAvgPool1d'
  protected static override readonly dims: number = 1
}
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveAvgPool2d'
  protected static override readonly dims: number = 2
}
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveAvgPool3d'
  protected static override readonly dims: number = 3
}

export interface AdaptiveMaxPoolLayerOptions {
  returnIndices?: boolean
}

class AdaptiveMaxPool extends Module {
  static override readonly attributes: AttributeTable = { outputSize: 'Final[OptionalSizes]', returnIndices: 'Final[bool]' }
  static torchscript(module: AdaptiveMaxPool): string {
    return adaptiveMaxSource(module, (module.constructor as typeof AdaptiveMaxPool).dims)
  }
  protected static readonly dims: number = 0
  readonly outputSize: AdaptiveSize
  readonly returnIndices: boolean
  constructor(outputSize: F.OutputSize, ...rest: Rest<AdaptiveMaxPoolLayerOptions, readonly ['returnIndices']>) {
    super()
    this.outputSize = adaptiveCopy(outputSize)
    this.returnIndices = settle<AdaptiveMaxPoolLayerOptions>(['returnIndices'], rest).returnIndices ?? false
  }
  /** The maxima; with `returnIndices` a pair of them and their places. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  override forward(input: Tensor): any {
    const { dims } = this.constructor as typeof AdaptiveMaxPool
    const both = ops(`adaptive_max_pool${dims}d`, input, F.fullOutputSize(input, this.outputSize, dims))
    return this.returnIndices ? both : both[0]
  }
  override extraRepr(): string {
    return `output_size=${py(this.outputSize)}`
  }
}
const adaptiveMaxSource = (module: AdaptiveMaxPool, dims: number): string => `
def forward(self, input: Tensor) -> ${module.returnIndices ? 'Tuple[Tensor, Tensor]' : 'Tensor'}:
  values, indices = torch.adaptive_max_pool${dims}d(input, ${adaptiveText(module.outputSize, dims)})
  return ${module.returnIndices ? '(values, indices)' : 'values'}
`
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveMaxPool1d'
  protected static override readonly dims: number = 1
}
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveMaxPool2d'
  protected static override readonly dims: number = 2
}
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.AdaptiveMaxPool3d'
  protected static override readonly dims: number = 3
}

export interface FractionalMaxPoolLayerOptions {
  outputSize?: IntList | null
  outputRatio?: number | readonly number[] | null
  returnIndices?: boolean
  /** Numbers in [0, 1) that decide the windows; drawn at each call where not given. */
  randomSamples?: Tensor | null
}
const fractionalNames = ['outputSize', 'outputRatio', 'returnIndices', 'randomSamples'] as const

class FractionalMaxPool extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Final[Sizes]',
    returnIndices: 'Final[bool]',
    outputSize: 'Final[OptionalSizes]',
    outputRatio: 'Final[OptionalFloats]',
    _randomSamples: 'Optional[Tensor]',
  }
  static torchscript(module: FractionalMaxPool): string {
    return fractionalSource(module, (module.constructor as typeof FractionalMaxPool).dims)
  }
  protected static readonly dims: number = 0
  readonly kernelSize: number[]
  readonly returnIndices: boolean
  readonly outputSize: number[] | null
  readonly outputRatio: number[] | null
  declare readonly _randomSamples: Tensor | null
  constructor(kernelSize: IntList, ...rest: Rest<FractionalMaxPoolLayerOptions, typeof fractionalNames>) {
    super()
    const {
      outputSize = null,
      outputRatio = null,
      returnIndices = false,
      randomSamples = null,
    } = settle<FractionalMaxPoolLayerOptions>(fractionalNames, rest)
    const { dims } = new.target as unknown as typeof FractionalMaxPool
    const name = `FractionalMaxPool${dims}d`
    if (outputSize === null && outputRatio === null)
      throw new ArgumentError(`${name} requires specifying either an output size, or a pooling ratio`)
    if (outputSize !== null && outputRatio !== null) throw new ArgumentError('only one of output_size and output_ratio may be specified')
    this.kernelSize = tuple(kernelSize, dims, 'kernelSize')
    this.returnIndices = returnIndices
    this.outputSize = outputSize === null ? null : tuple(outputSize, dims, 'outputSize')
    this.outputRatio = outputRatio === null ? null : tuple(outputRatio, dims, 'outputRatio')
    if (this.outputRatio?.some((ratio) => !(ratio > 0 && ratio < 1)))
      throw new ArgumentError(`output_ratio must be between 0 and 1 (got ${py(outputRatio)})`)
    this.registerBuffer('_randomSamples', randomSamples)
  }
  /** The maxima; with `returnIndices` a pair of them and their places. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  override forward(input: Tensor): any {
    const { dims } = this.constructor as typeof FractionalMaxPool
    const pool = dims === 2 ? F.fractionalMaxPool2dWithIndices : F.fractionalMaxPool3dWithIndices
    const both = pool(input, this.kernelSize, this.outputSize, this.outputRatio, this._randomSamples)
    return this.returnIndices ? both : both[0]
  }
}
function fractionalSource(module: FractionalMaxPool, dims: number): string {
  const sizes = module.outputSize ?? module.outputRatio!.map((ratio, i) => `int(input.size(${i - dims}) * ${pyFloat(ratio)})`)
  return `
def forward(self, input: Tensor) -> ${module.returnIndices ? 'Tuple[Tensor, Tensor]' : 'Tensor'}:
  samples = self._random_samples
  if samples is None:
    batch = 1
    if input.dim() != ${dims + 1}:
      batch = input.size(0)
    samples = torch.rand([batch, input.size(${-dims - 1}), ${dims}], dtype=input.dtype, device=input.device)
  values, indices = torch.fractional_max_pool${dims}d(input, [${module.kernelSize.join(', ')}], [${sizes.join(', ')}], samples)
  return ${module.returnIndices ? '(values, indices)' : 'values'}
`
}
export class FractionalMaxPool2d extends FractionalMaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.FractionalMaxPool2d'
  protected static override readonly dims: number = 2
}
export class FractionalMaxPool3d extends FractionalMaxPool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.FractionalMaxPool3d'
  protected static override readonly dims: number = 3
}

export interface MaxUnpoolLayerOptions {
  stride?: IntList | null
  padding?: IntList
}
const unpoolNames = ['stride', 'padding'] as const

class MaxUnpool extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Tuple[int, ...]',
    stride: 'Tuple[int, ...]',
    padding: 'Tuple[int, ...]',
  }
  protected static readonly dims: number = 0
  readonly kernelSize: number[]
  readonly stride: number[]
  readonly padding: number[]
  constructor(kernelSize: IntList, ...rest: Rest<MaxUnpoolLayerOptions, typeof unpoolNames>) {
    super()
    const { dims } = new.target as unknown as typeof MaxUnpool
    const { stride = null, padding = 0 } = settle<MaxUnpoolLayerOptions>(unpoolNames, rest)
    this.kernelSize = tuple(kernelSize, dims, 'kernelSize')
    this.stride = tuple(stride ?? kernelSize, dims, 'stride')
    this.padding = tuple(padding, dims, 'padding')
  }
  override forward(input: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    const { dims } = this.constructor as typeof MaxUnpool
    const unpool = dims === 1 ? F.maxUnpool1d : dims === 2 ? F.maxUnpool2d : F.maxUnpool3d
    return unpool(input, indices, this.kernelSize, this.stride, this.padding, outputSize)
  }
  override extraRepr(): string {
    return `kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}, padding=${py(this.padding)}`
  }
}
function unpoolSource(dims: number): string {
  const at = Array.from({ length: dims }, (_, i) => i)
  const usual = at.map((i) => `(input.size(${i - dims}) - 1) * self.stride[${i}] + self.kernel_size[${i}] - 2 * self.padding[${i}]`)
  const call = [
    'torch.squeeze(torch.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), sizes + [1]), -1)',
    'torch.max_unpool2d(input, indices, sizes)',
    'torch.max_unpool3d(input, indices, sizes, self.stride, self.padding)',
  ][dims - 1]
  return `
def forward(self, input: Tensor, indices: Tensor, output_size: Optional[List[int]]=None) -> Tensor:
  sizes = [${usual.join(', ')}]
  if output_size is not None:
    given = output_size
    if len(given) == ${dims + 2}:
      given = given[2:]
    assert len(given) == ${dims}, "output_size must have an element for each spatial dimension"
    sizes = given
  return ${call}
`
}
export class MaxUnpool1d extends MaxUnpool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxUnpool1d'
  static readonly torchscript: string = unpoolSource(1)
  protected static override readonly dims: number = 1
}
export class MaxUnpool2d extends MaxUnpool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxUnpool2d'
  static readonly torchscript: string = unpoolSource(2)
  protected static override readonly dims: number = 2
}
export class MaxUnpool3d extends MaxUnpool {
  static readonly pythonName: string = 'torch.nn.modules.pooling.MaxUnpool3d'
  static readonly torchscript: string = unpoolSource(3)
  protected static override readonly dims: number = 3
}
