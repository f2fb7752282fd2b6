import type { Tensor } from '../../../tensor/tensor.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { type FoldOptions, fold, unfold } from '../functional/linear.js'
import { interpolate, type InterpolateMode } from '../functional/vision.js'
import { Module } from '../module.js'
import { type IntList, type Rest, settle } from '../options.js'
import { py, pyFloat } from '../repr.js'

export interface FlattenOptions {
  startDim?: number
  endDim?: number
}
export class Flatten extends Module {
  static override readonly attributes: AttributeTable = { startDim: 'Final[int]', endDim: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.flatten.Flatten'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.flatten(input, self.start_dim, self.end_dim)
`
  readonly startDim: number
  readonly endDim: number
  constructor(...rest: Rest<FlattenOptions, readonly ['startDim', 'endDim']>) {
    super()
    const { startDim = 1, endDim = -1 } = settle<FlattenOptions>(['startDim', 'endDim'], rest)
    this.startDim = startDim
    this.endDim = endDim
  }
  override forward(input: Tensor): Tensor {
    return op('flatten', input, this.startDim, this.endDim)
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`
  }
}

export class Unflatten extends Module {
  static override readonly attributes: AttributeTable = { dim: 'Final[int]', unflattenedSize: 'Final[Tuple[int, ...]]' }
  static readonly pythonName: string = 'torch.nn.modules.flatten.Unflatten'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.unflatten(input, self.dim, self.unflattened_size)
`
  readonly dim: number
  readonly unflattenedSize: number[]
  constructor(dim: number, unflattenedSize: readonly number[]) {
    super()
    this.dim = dim
    this.unflattenedSize = [...unflattenedSize]
  }
  override forward(input: Tensor): Tensor {
    return op('unflatten', input, this.dim, this.unflattenedSize)
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${py(this.unflattenedSize)}`
  }
}

export class PixelShuffle extends Module {
  static override readonly attributes: AttributeTable = { upscaleFactor: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.pixelshuffle.PixelShuffle'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.pixel_shuffle(input, self.upscale_factor)
`
  readonly upscaleFactor: number
  constructor(upscaleFactor: number) {
    super()
    this.upscaleFactor = upscaleFactor
  }
  override forward(input: Tensor): Tensor {
    return op('pixel_shuffle', input, this.upscaleFactor)
  }
  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`
  }
}

export class PixelUnshuffle extends Module {
  static override readonly attributes: AttributeTable = { downscaleFactor: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.pixelshuffle.PixelUnshuffle'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.pixel_unshuffle(input, self.downscale_factor)
`
  readonly downscaleFactor: number
  constructor(downscaleFactor: number) {
    super()
    this.downscaleFactor = downscaleFactor
  }
  override forward(input: Tensor): Tensor {
    return op('pixel_unshuffle', input, this.downscaleFactor)
  }
  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`
  }
}

export class ChannelShuffle extends Module {
  static override readonly attributes: AttributeTable = { groups: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.channelshuffle.ChannelShuffle'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.channel_shuffle(input, self.groups)
`
  readonly groups: number
  constructor(groups: number) {
    super()
    this.groups = groups
  }
  override forward(input: Tensor): Tensor {
    return op('channel_shuffle', input, this.groups)
  }
  override extraRepr(): string {
    return `groups=${this.groups}`
  }
}

const copied = <T>(value: T | readonly T[]): T | T[] => (Array.isArray(value) ? [...(value as T[])] : (value as T))
const foldNames = ['dilation', 'padding', 'stride'] as const
const pairText = (value: IntList): string => (typeof value === 'number' ? `[${value}, ${value}]` : `[${value.join(', ')}]`)

export class Unfold extends Module {
  static override readonly attributes: AttributeTable = {
    kernelSize: 'Final[Sizes]',
    dilation: 'Final[Sizes]',
    padding: 'Final[Sizes]',
    stride: 'Final[Sizes]',
  }
  static readonly pythonName: string = 'torch.nn.modules.fold.Unfold'
  static torchscript({ kernelSize, dilation, padding, stride }: Unfold): string {
    return `
def forward(self, input: Tensor) -> Tensor:
  return torch.im2col(input, ${[kernelSize, dilation, padding, stride].map(pairText).join(', ')})
`
  }
  readonly kernelSize: number | number[]
  readonly dilation: number | number[]
  readonly padding: number | number[]
  readonly stride: number | number[]
  constructor(kernelSize: IntList, ...rest: Rest<FoldOptions, typeof foldNames>) {
    super()
    const { dilation = 1, padding = 0, stride = 1 } = settle<FoldOptions>(foldNames, rest)
    this.kernelSize = copied(kernelSize)
    this.dilation = copied(dilation)
    this.padding = copied(padding)
    this.stride = copied(stride)
  }
  override forward(input: Tensor): Tensor {
    return unfold(input, this.kernelSize, this.dilation, this.padding, this.stride)
  }
  override extraRepr(): string {
    return `kernel_size=${py(this.kernelSize)}, dilation=${py(this.dilation)}, padding=${py(this.padding)}, stride=${py(this.stride)}`
  }
}

export class Fold extends Module {
  static override readonly attributes: AttributeTable = {
    outputSize: 'Final[Sizes]',
    kernelSize: 'Final[Sizes]',
    dilation: 'Final[Sizes]',
    padding: 'Final[Sizes]',
    stride: 'Final[Sizes]',
  }
  static readonly pythonName: string = 'torch.nn.modules.fold.Fold'
  static torchscript({ outputSize, kernelSize, dilation, padding, stride }: Fold): string {
    return `
def forward(self, input: Tensor) -> Tensor:
  return torch.col2im(input, ${[outputSize, kernelSize, dilation, padding, stride].map(pairText).join(', ')})
`
  }
  readonly outputSize: number | number[]
  readonly kernelSize: number | number[]
  readonly dilation: number | number[]
  readonly padding: number | number[]
  readonly stride: number | number[]
  constructor(outputSize: IntList, kernelSize: IntList, ...rest: Rest<FoldOptions, typeof foldNames>) {
    super()
    const { dilation = 1, padding = 0, stride = 1 } = settle<FoldOptions>(foldNames, rest)
    this.outputSize = copied(outputSize)
    this.kernelSize = copied(kernelSize)
    this.dilation = copied(dilation)
    this.padding = copied(padding)
    this.stride = copied(stride)
  }
  override forward(input: Tensor): Tensor {
    return fold(input, this.outputSize, this.kernelSize, this.dilation, this.padding, this.stride)
  }
  override extraRepr(): string {
    const { outputSize, kernelSize, dilation, padding, stride } = this
    return `output_size=${py(outputSize)}, kernel_size=${py(kernelSize)}, dilation=${py(dilation)}, padding=${py(padding)}, stride=${py(stride)}`
  }
}

export interface UpsampleOptions {
  size?: number | readonly number[] | null
  scaleFactor?: number | readonly number[] | null
  mode?: InterpolateMode
  alignCorners?: boolean | null
  recomputeScaleFactor?: boolean | null
}
const upsampleNames = ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor'] as const

export class Upsample extends Module {
  static override readonly attributes: AttributeTable = {
    size: 'Final[OptionalSizes]',
    scaleFactor: 'Final[OptionalFloats]',
    mode: 'Final[str]',
    alignCorners: 'Final[Optional[bool]]',
    recomputeScaleFactor: 'Final[Optional[bool]]',
    name: 'Final[str]',
  }
  static readonly pythonName: string = 'torch.nn.modules.upsampling.Upsample'
  static torchscript(module: Upsample): string {
    return upsampleSource(module)
  }
  /** Name of the class, as PyTorch keeps it. */
  readonly name: string = 'Upsample'
  readonly size: number | number[] | null
  readonly scaleFactor: number | number[] | null
  readonly mode: InterpolateMode
  readonly alignCorners: boolean | null
  readonly recomputeScaleFactor: boolean | null
  constructor(...rest: Rest<UpsampleOptions, typeof upsampleNames>) {
    super()
    const given = settle<UpsampleOptions>(upsampleNames, rest)
    const { size = null, scaleFactor = null, mode = 'nearest', alignCorners = null, recomputeScaleFactor = null } = given
    this.size = copied<number | null>(size) as number | number[] | null
    this.scaleFactor = copied<number | null>(scaleFactor) as number | number[] | null
    this.mode = mode
    this.alignCorners = alignCorners
    this.recomputeScaleFactor = recomputeScaleFactor
  }
  override forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this
    return interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor })
  }
  override extraRepr(): string {
    const factor = this.scaleFactor
    const floats = Array.isArray(factor) ? `(${factor.map(pyFloat).join(', ')}${factor.length === 1 ? ',' : ''})` : pyFloat(factor ?? 0)
    return `${factor === null ? `size=${py(this.size)}` : `scale_factor=${floats}`}, mode=${py(this.mode)}`
  }
}

/** The mode and what of the size is given are constants: the text has only the operators that remain, one for each number of dimensions. */
function upsampleSource({ size, scaleFactor, mode, alignCorners, recomputeScaleFactor }: Upsample): string {
  const isRecomputed = size === null && (recomputeScaleFactor === true || mode === 'area')
  const list = (dims: number): string => {
    if (size !== null)
      return Array.isArray(size) ? (size.length === dims ? `[${size.join(', ')}]` : '') : `[${new Array(dims).fill(size).join(', ')}]`
    const factors = Array.isArray(scaleFactor) ? scaleFactor : new Array<number>(dims).fill(scaleFactor!)
    if (factors.length !== dims) return ''
    return isRecomputed
      ? `[${factors.map((factor, i) => `int(float(input.size(${i + 2})) * ${pyFloat(factor)})`).join(', ')}]`
      : `[${factors.map(pyFloat).join(', ')}]`
  }
  const isSize = size !== null || isRecomputed
  const corners = alignCorners === true ? 'True' : 'False'
  const modes: Readonly<Record<string, readonly [string, number[]]>> = {
    nearest: ['upsample_nearest', [1, 2, 3]],
    'nearest-exact': ['_upsample_nearest_exact', [1, 2, 3]],
    area: ['adaptive_avg_pool', [1, 2, 3]],
    linear: ['upsample_linear', [1]],
    bilinear: ['upsample_bilinear', [2]],
    bicubic: ['upsample_bicubic', [2]],
    trilinear: ['upsample_trilinear', [3]],
  }
  const [name, possible] = modes[mode]
  const branches = possible.flatMap((dims) => {
    const sizes = list(dims)
    if (sizes === '') return []
    const given = isSize ? `${sizes}, ` : 'None, '
    const factors = isSize ? 'None' : sizes
    const call =
      mode === 'area'
        ? `torch.${name}${dims}d(input, ${sizes})`
        : `torch.${name}${dims}d(input, ${given}${mode.startsWith('nearest') ? '' : `${corners}, `}${factors})`
    return [`  if input.dim() == ${dims + 2}:\n    return ${call}`]
  })
  return `
def forward(self, input: Tensor) -> Tensor:
${branches.join('\n')}
  assert False, "Expected an input whose number of dimensions fits the mode ${mode}"
  return input
`
}

export interface UpsamplingOptions {
  size?: number | readonly number[] | null
  scaleFactor?: number | readonly number[] | null
}
const upsamplingNames = ['size', 'scaleFactor'] as const

export class UpsamplingNearest2d extends Upsample {
  static override readonly pythonName: string = 'torch.nn.modules.upsampling.UpsamplingNearest2d'
  override readonly name: string = 'UpsamplingNearest2d'
  constructor(...rest: Rest<UpsamplingOptions, typeof upsamplingNames>) {
    super({ ...settle<UpsamplingOptions>(upsamplingNames, rest), mode: 'nearest' })
  }
}
export class UpsamplingBilinear2d extends Upsample {
  static override readonly pythonName: string = 'torch.nn.modules.upsampling.UpsamplingBilinear2d'
  override readonly name: string = 'UpsamplingBilinear2d'
  constructor(...rest: Rest<UpsamplingOptions, typeof upsamplingNames>) {
    super({ ...settle<UpsamplingOptions>(upsamplingNames, rest), mode: 'bilinear', alignCorners: true })
  }
}

export interface CosineSimilarityLayerOptions {
  dim?: number
  eps?: number
}
export class CosineSimilarity extends Module {
  static override readonly attributes: AttributeTable = { dim: 'Final[int]', eps: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.distance.CosineSimilarity'
  static readonly torchscript: string = `
def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
  return torch.cosine_similarity(x1, x2, self.dim, self.eps)
`
  readonly dim: number
  readonly eps: number
  constructor(...rest: Rest<CosineSimilarityLayerOptions, readonly ['dim', 'eps']>) {
    super()
    const { dim = 1, eps = 1e-8 } = settle<CosineSimilarityLayerOptions>(['dim', 'eps'], rest)
    this.dim = dim
    this.eps = eps
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return op('cosine_similarity', x1, x2, this.dim, this.eps)
  }
}

export interface PairwiseDistanceLayerOptions {
  p?: number
  eps?: number
  keepdim?: boolean
}
export class PairwiseDistance extends Module {
  static override readonly attributes: AttributeTable = { norm: 'Final[float]', eps: 'Final[float]', keepdim: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.distance.PairwiseDistance'
  static readonly torchscript: string = `
def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
  return torch.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
`
  readonly norm: number
  readonly eps: number
  readonly keepdim: boolean
  constructor(...rest: Rest<PairwiseDistanceLayerOptions, readonly ['p', 'eps', 'keepdim']>) {
    super()
    const { p = 2, eps = 1e-6, keepdim = false } = settle<PairwiseDistanceLayerOptions>(['p', 'eps', 'keepdim'], rest)
    this.norm = p
    this.eps = eps
    this.keepdim = keepdim
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return op('pairwise_distance', x1, x2, this.norm, this.eps, this.keepdim)
  }
}
