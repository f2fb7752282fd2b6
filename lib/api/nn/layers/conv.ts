import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { fanInAndFanOut, kaimingUniform_, uniform_ } from '../init.js'
import { Module } from '../module.js'
import { type IntList, type Rest, settle, tuple } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { py } from '../repr.js'
import { convLayerNames, convTransposeLayerNames } from './option-names.js'

export type ConvPaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

export interface ConvLayerOptions {
  stride?: IntList
  /** Numbers, or 'valid' or 'same'. */
  padding?: IntList | 'valid' | 'same'
  dilation?: IntList
  groups?: number
  bias?: boolean
  paddingMode?: ConvPaddingMode
  dtype?: DType
}
export type ConvLayerRest = Rest<ConvLayerOptions, typeof convLayerNames>

export interface ConvTransposeLayerOptions {
  stride?: IntList
  padding?: IntList
  outputPadding?: IntList
  groups?: number
  bias?: boolean
  dilation?: IntList
  paddingMode?: 'zeros'
  dtype?: DType
}
export type ConvTransposeLayerRest = Rest<ConvTransposeLayerOptions, typeof convTransposeLayerNames>

const ints = (dims: number): string => `Tuple[${new Array<string>(dims).fill('int').join(', ')}]`
const tableOf = (dims: number): AttributeTable => ({
  inChannels: 'Final[int]',
  outChannels: 'Final[int]',
  kernelSize: `Final[${ints(dims)}]`,
  stride: `Final[${ints(dims)}]`,
  padding: `Final[${ints(dims)}]`,
  dilation: `Final[${ints(dims)}]`,
  transposed: 'bool',
  outputPadding: `Final[${ints(dims)}]`,
  groups: 'Final[int]',
  paddingMode: 'Final[str]',
  _reversedPaddingRepeatedTwice: 'List[int]',
})

interface Settings {
  readonly kernelSize: number[]
  readonly stride: number[]
  readonly padding: number[] | 'valid' | 'same'
  readonly dilation: number[]
  readonly transposed: boolean
  readonly outputPadding: number[]
  readonly groups: number
  readonly bias: boolean
  readonly paddingMode: ConvPaddingMode
  readonly dtype: DType | undefined
}

/** What convolutions and transposed ones of all dimensions share. */
export class ConvNd extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: number[]
  readonly stride: number[]
  readonly padding: number[] | 'valid' | 'same'
  readonly dilation: number[]
  readonly transposed: boolean
  readonly outputPadding: number[]
  readonly groups: number
  readonly paddingMode: ConvPaddingMode
  /** Padding as `pad` takes it: from the last dimension, before and after. */
  protected readonly _reversedPaddingRepeatedTwice: number[]
  weight: Parameter
  bias: Parameter | null

  constructor(inChannels: number, outChannels: number, settings: Settings) {
    super()
    const { kernelSize, stride, padding, dilation, transposed, outputPadding, groups, bias, paddingMode, dtype } = settings
    if (groups <= 0) throw new ArgumentError('groups must be a positive integer')
    if (inChannels % groups !== 0) throw new ArgumentError('in_channels must be divisible by groups')
    if (outChannels % groups !== 0) throw new ArgumentError('out_channels must be divisible by groups')
    if (typeof padding === 'string') {
      if (!['valid', 'same'].includes(padding))
        throw new ArgumentError(`Expected integers, 'valid' or 'same' for \`padding\` but received '${String(padding)}'`)
      if (padding === 'same' && stride.some((step) => step !== 1))
        throw new ArgumentError("padding='same' is not supported for strided convolutions")
    }
    if (!['zeros', 'reflect', 'replicate', 'circular'].includes(paddingMode))
      throw new ArgumentError(
        `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${paddingMode}'`,
      )
    this.inChannels = inChannels
    this.outChannels = outChannels
    this.kernelSize = kernelSize
    this.stride = stride
    this.padding = padding
    this.dilation = dilation
    this.transposed = transposed
    this.outputPadding = outputPadding
    this.groups = groups
    this.paddingMode = paddingMode
    this._reversedPaddingRepeatedTwice = reversedPadding(settings)
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]
    this.weight = emptyParameter([...channels, ...kernelSize], dtype)
    this.bias = bias ? emptyParameter([outChannels], dtype) : null
    if (!bias) this.registerParameter('bias', null)
    this.resetParameters()
  }

  resetParameters(): void {
    kaimingUniform_(this.weight, Math.sqrt(5))
    if (this.bias !== null) {
      const [fanIn] = fanInAndFanOut(this.weight)
      if (fanIn !== 0) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))
    }
  }

  override extraRepr(): string {
    const zeros = (values: number[], usual: number): boolean => values.every((value) => value === usual)
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${py(this.kernelSize)}, stride=${py(this.stride)}`
    if (typeof this.padding === 'string' || !zeros(this.padding, 0))
      text += `, padding=${typeof this.padding === 'string' ? this.padding : py(this.padding)}`
    if (!zeros(this.dilation, 1)) text += `, dilation=${py(this.dilation)}`
    if (!zeros(this.outputPadding, 0)) text += `, output_padding=${py(this.outputPadding)}`
    if (this.groups !== 1) text += `, groups=${this.groups}`
    if (this.bias === null) text += ', bias=False'
    if (this.paddingMode !== 'zeros') text += `, padding_mode=${this.paddingMode}`
    return text
  }
}

function reversedPadding({ padding, kernelSize, dilation }: Settings): number[] {
  const dims = kernelSize.length
  const out = new Array<number>(2 * dims).fill(0)
  for (let dim = 0; dim < dims; dim++) {
    // The last dimension comes first.
    const at = 2 * (dims - 1 - dim)
    if (typeof padding !== 'string') out[at] = out[at + 1] = padding[dim]
    else if (padding === 'same') {
      const total = dilation[dim] * (kernelSize[dim] - 1)
      out[at] = Math.floor(total / 2)
      out[at + 1] = total - out[at]
    }
  }
  return out
}

function settingsOf(dims: number, kernelSize: IntList, rest: readonly unknown[]): Settings {
  const given = settle<ConvLayerOptions>(convLayerNames, rest)
  const { padding = 0, groups = 1, bias = true, paddingMode = 'zeros', dtype } = given
  return {
    kernelSize: tuple(kernelSize, dims, 'kernelSize'),
    stride: tuple(given.stride ?? 1, dims, 'stride'),
    padding: typeof padding === 'string' ? padding : tuple(padding, dims, 'padding'),
    dilation: tuple(given.dilation ?? 1, dims, 'dilation'),
    transposed: false,
    outputPadding: tuple(0, dims, 'outputPadding'),
    groups,
    bias,
    paddingMode,
    dtype,
  }
}

/** `padding` is one of the words there where `same` is true: TorchScript then knows it as a string. */
const convSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tensor:
  return self._conv_forward(input, self.weight, self.bias)

def _conv_forward(self, input: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  if self.padding_mode != "zeros":
    padded = torch.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
    return torch.conv${dims}d(padded, weight, bias, self.stride, [${new Array(dims).fill('0').join(', ')}], self.dilation, self.groups)
  return torch.conv${dims}d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
`

/** A convolution of `dims` dimensions. */
class Conv extends ConvNd {
  constructor(dims: number, inChannels: number, outChannels: number, kernelSize: IntList, rest: ConvLayerRest) {
    super(inChannels, outChannels, settingsOf(dims, kernelSize, rest))
  }
  override forward(input: Tensor): Tensor {
    const { stride, dilation, groups } = this
    const name = `conv${stride.length}d`
    if (this.paddingMode === 'zeros') return op(name, input, this.weight, this.bias, stride, this.padding, dilation, groups)
    const padded = op('pad', input, this._reversedPaddingRepeatedTwice, this.paddingMode, null)
    return op(name, padded, this.weight, this.bias, stride, 0, dilation, groups)
  }
}

export class Conv1d extends Conv {
  static override readonly attributes: AttributeTable = tableOf(1)
  static readonly pythonName: string = 'torch.nn.modules.conv.Conv1d'
  static readonly torchscript: string = convSource(1)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    super(1, inChannels, outChannels, kernelSize, rest)
  }
}
export class Conv2d extends Conv {
  static override readonly attributes: AttributeTable = tableOf(2)
  static readonly pythonName: string = 'torch.nn.modules.conv.Conv2d'
  static readonly torchscript: string = convSource(2)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    super(2, inChannels, outChannels, kernelSize, rest)
  }
}
export class Conv3d extends Conv {
  static override readonly attributes: AttributeTable = tableOf(3)
  static readonly pythonName: string = 'torch.nn.modules.conv.Conv3d'
  static readonly torchscript: string = convSource(3)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvLayerRest) {
    super(3, inChannels, outChannels, kernelSize, rest)
  }
}

function transposeSettingsOf(dims: number, kernelSize: IntList, rest: readonly unknown[]): Settings {
  const given = settle<ConvTransposeLayerOptions>(convTransposeLayerNames, rest)
  const { groups = 1, bias = true, paddingMode = 'zeros', dtype } = given
  if (paddingMode !== 'zeros') throw new ArgumentError(`Only "zeros" padding mode is supported for ConvTranspose${dims}d`)
  return {
    kernelSize: tuple(kernelSize, dims, 'kernelSize'),
    stride: tuple(given.stride ?? 1, dims, 'stride'),
    padding: tuple(given.padding ?? 0, dims, 'padding'),
    dilation: tuple(given.dilation ?? 1, dims, 'dilation'),
    transposed: true,
    outputPadding: tuple(given.outputPadding ?? 0, dims, 'outputPadding'),
    groups,
    bias,
    paddingMode,
    dtype,
  }
}

const transposeSource = (dims: number): string => `
def forward(self, input: Tensor, output_size: Optional[List[int]]=None) -> Tensor:
  output_padding = self._output_padding(input, output_size)
  return torch.conv_transpose${dims}d(input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation)

def _output_padding(self, input: Tensor, output_size: Optional[List[int]]) -> List[int]:
  if output_size is None:
    result = [${Array.from({ length: dims }, (_, i) => `self.output_padding[${i}]`).join(', ')}]
  else:
    kernel_size = [${Array.from({ length: dims }, (_, i) => `self.kernel_size[${i}]`).join(', ')}]
    stride = [${Array.from({ length: dims }, (_, i) => `self.stride[${i}]`).join(', ')}]
    padding = [${Array.from({ length: dims }, (_, i) => `self.padding[${i}]`).join(', ')}]
    dilation = [${Array.from({ length: dims }, (_, i) => `self.dilation[${i}]`).join(', ')}]
    spatial = input.dim() - ${dims}
    sizes = output_size
    if len(sizes) == spatial + ${dims}:
      sizes = sizes[spatial:]
    assert len(sizes) == ${dims}, "output_size must have an element for each spatial dimension"
    result = [0 for _ in range(0)]
    for d in range(${dims}):
      least = (input.size(d + spatial) - 1) * stride[d] - 2 * padding[d] + dilation[d] * (kernel_size[d] - 1) + 1
      assert sizes[d] >= least and sizes[d] <= least + stride[d] - 1, "requested an output size outside of the valid range"
      result.append(sizes[d] - least)
  return result
`

/** A transposed convolution of `dims` dimensions. */
class ConvTranspose extends ConvNd {
  constructor(dims: number, inChannels: number, outChannels: number, kernelSize: IntList, rest: ConvTransposeLayerRest) {
    super(inChannels, outChannels, transposeSettingsOf(dims, kernelSize, rest))
  }
  /** `outputSize` chooses among the sizes that the stride leaves open. */
  override forward(input: Tensor, outputSize: readonly number[] | null = null): Tensor {
    const { stride, padding, groups, dilation } = this
    const outputPadding = this.outputPaddingFor(input, outputSize)
    return op(`conv_transpose${stride.length}d`, input, this.weight, this.bias, stride, padding, outputPadding, groups, dilation)
  }
  private outputPaddingFor(input: Tensor, outputSize: readonly number[] | null): number[] {
    if (outputSize === null) return this.outputPadding
    const { kernelSize, stride, dilation } = this
    const padding = this.padding as number[]
    const dims = stride.length
    const leading = input.dim() - dims
    const sizes = outputSize.length === leading + dims ? outputSize.slice(leading) : outputSize
    if (sizes.length !== dims)
      throw new ArgumentError(
        `ConvTranspose${dims}D: for ${input.dim()}D input, output_size must have ${dims} or ${leading + dims} elements (got ${outputSize.length})`,
      )
    const least = kernelSize.map((length, i) => (input.size(i + leading) - 1) * stride[i] - 2 * padding[i] + dilation[i] * (length - 1) + 1)
    const most = least.map((length, i) => length + stride[i] - 1)
    if (sizes.some((length, i) => length < least[i] || length > most[i]))
      throw new ArgumentError(
        `requested an output size of [${sizes.join(', ')}], but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of torch.Size([${input.shape.slice(2).join(', ')}]))`,
      )
    return sizes.map((length, i) => length - least[i])
  }
}

export class ConvTranspose1d extends ConvTranspose {
  static override readonly attributes: AttributeTable = tableOf(1)
  static readonly pythonName: string = 'torch.nn.modules.conv.ConvTranspose1d'
  static readonly torchscript: string = transposeSource(1)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    super(1, inChannels, outChannels, kernelSize, rest)
  }
}
export class ConvTranspose2d extends ConvTranspose {
  static override readonly attributes: AttributeTable = tableOf(2)
  static readonly pythonName: string = 'torch.nn.modules.conv.ConvTranspose2d'
  static readonly torchscript: string = transposeSource(2)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    super(2, inChannels, outChannels, kernelSize, rest)
  }
}
export class ConvTranspose3d extends ConvTranspose {
  static override readonly attributes: AttributeTable = tableOf(3)
  static readonly pythonName: string = 'torch.nn.modules.conv.ConvTranspose3d'
  static readonly torchscript: string = transposeSource(3)
  constructor(inChannels: number, outChannels: number, kernelSize: IntList, ...rest: ConvTransposeLayerRest) {
    super(3, inChannels, outChannels, kernelSize, rest)
  }
}
