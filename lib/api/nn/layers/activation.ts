import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import * as F from '../functional/activation.js'
import { constant_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { pyFloat } from '../repr.js'

export interface InplaceLayerOptions {
  /** Writes the result into the input. */
  inplace?: boolean
}
type InplaceRest = Rest<InplaceLayerOptions, readonly ['inplace']>

/** An activation with no parameter but `inplace`. */
class InplaceActivation extends Module {
  static override readonly attributes: AttributeTable = { inplace: 'Final[bool]' }
  readonly inplace: boolean
  constructor(...rest: InplaceRest) {
    super()
    this.inplace = settle<InplaceLayerOptions>(['inplace'], rest).inplace ?? false
  }
  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : ''
  }
}

/** The text after other parts of a repr. */
const inplaceText = (inplace: boolean): string => (inplace ? ', inplace=True' : '')

export class ReLU extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.ReLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.relu_(input)
  return torch.relu(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'relu_' : 'relu', input)
  }
}

export class SELU extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.SELU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.selu_(input)
  return torch.selu(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'selu_' : 'selu', input)
  }
}

export class SiLU extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.SiLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.silu_(input)
  return torch.silu(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'silu_' : 'silu', input)
  }
}

export class Mish extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.Mish'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.mish_(input)
  return torch.mish(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'mish_' : 'mish', input)
  }
}

export class Hardsigmoid extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.Hardsigmoid'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.hardsigmoid_(input)
  return torch.hardsigmoid(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'hardsigmoid_' : 'hardsigmoid', input)
  }
}

export class Hardswish extends InplaceActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.Hardswish'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.hardswish_(input)
  return torch.hardswish(input)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'hardswish_' : 'hardswish', input)
  }
}

export class Sigmoid extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.Sigmoid'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.sigmoid(input)
`
  override forward(input: Tensor): Tensor {
    return op('sigmoid', input)
  }
}

export class Tanh extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.Tanh'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.tanh(input)
`
  override forward(input: Tensor): Tensor {
    return op('tanh', input)
  }
}

export class LogSigmoid extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.LogSigmoid'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.log_sigmoid(input)
`
  override forward(input: Tensor): Tensor {
    return op('log_sigmoid', input)
  }
}

export class Softsign extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.Softsign'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return input / (torch.abs(input) + 1)
`
  override forward(input: Tensor): Tensor {
    return F.softsign(input)
  }
}

export class Tanhshrink extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.Tanhshrink'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return input - torch.tanh(input)
`
  override forward(input: Tensor): Tensor {
    return F.tanhshrink(input)
  }
}

export interface HardtanhLayerOptions extends InplaceLayerOptions {
  minVal?: number
  maxVal?: number
}
const hardtanhNames = ['minVal', 'maxVal', 'inplace'] as const

export class Hardtanh extends Module {
  static override readonly attributes: AttributeTable = { minVal: 'Final[float]', maxVal: 'Final[float]', inplace: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.Hardtanh'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.hardtanh_(input, self.min_val, self.max_val)
  return torch.hardtanh(input, self.min_val, self.max_val)
`
  readonly minVal: number
  readonly maxVal: number
  readonly inplace: boolean
  constructor(...rest: Rest<HardtanhLayerOptions, typeof hardtanhNames>) {
    super()
    const { minVal = -1, maxVal = 1, inplace = false } = settle<HardtanhLayerOptions>(hardtanhNames, rest)
    if (!(maxVal > minVal)) throw new ArgumentError(`Expected a number above ${minVal} for \`maxVal\` but received ${maxVal}`)
    this.minVal = minVal
    this.maxVal = maxVal
    this.inplace = inplace
  }
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'hardtanh_' : 'hardtanh', input, this.minVal, this.maxVal)
  }
  override extraRepr(): string {
    return `min_val=${pyFloat(this.minVal)}, max_val=${pyFloat(this.maxVal)}${inplaceText(this.inplace)}`
  }
}

export class ReLU6 extends Hardtanh {
  static override readonly pythonName: string = 'torch.nn.modules.activation.ReLU6'
  static override readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.relu6_(input)
  return torch.relu6(input)
`
  constructor(...rest: InplaceRest) {
    super(0, 6, settle<InplaceLayerOptions>(['inplace'], rest).inplace ?? false)
  }
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'relu6_' : 'relu6', input)
  }
  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : ''
  }
}

export interface AlphaLayerOptions extends InplaceLayerOptions {
  alpha?: number
}
const alphaNames = ['alpha', 'inplace'] as const
type AlphaRest = Rest<AlphaLayerOptions, typeof alphaNames>

class AlphaActivation extends Module {
  static override readonly attributes: AttributeTable = { alpha: 'Final[float]', inplace: 'Final[bool]' }
  readonly alpha: number
  readonly inplace: boolean
  constructor(...rest: AlphaRest) {
    super()
    const { alpha = 1, inplace = false } = settle<AlphaLayerOptions>(alphaNames, rest)
    this.alpha = alpha
    this.inplace = inplace
  }
  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}${inplaceText(this.inplace)}`
  }
}

export class ELU extends AlphaActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.ELU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.elu_(input, self.alpha)
  return torch.elu(input, self.alpha)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'elu_' : 'elu', input, this.alpha)
  }
}

export class CELU extends AlphaActivation {
  static readonly pythonName: string = 'torch.nn.modules.activation.CELU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.celu_(input, self.alpha)
  return torch.celu(input, self.alpha)
`
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'celu_' : 'celu', input, this.alpha)
  }
}

export interface LeakyReLULayerOptions extends InplaceLayerOptions {
  negativeSlope?: number
}
const leakyNames = ['negativeSlope', 'inplace'] as const

export class LeakyReLU extends Module {
  static override readonly attributes: AttributeTable = { negativeSlope: 'Final[float]', inplace: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.LeakyReLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.leaky_relu_(input, self.negative_slope)
  return torch.leaky_relu(input, self.negative_slope)
`
  readonly negativeSlope: number
  readonly inplace: boolean
  constructor(...rest: Rest<LeakyReLULayerOptions, typeof leakyNames>) {
    super()
    const { negativeSlope = 0.01, inplace = false } = settle<LeakyReLULayerOptions>(leakyNames, rest)
    this.negativeSlope = negativeSlope
    this.inplace = inplace
  }
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'leaky_relu_' : 'leaky_relu', input, this.negativeSlope)
  }
  override extraRepr(): string {
    return `negative_slope=${pyFloat(this.negativeSlope)}${inplaceText(this.inplace)}`
  }
}

export interface RReLULayerOptions extends InplaceLayerOptions {
  lower?: number
  upper?: number
}
const rreluNames = ['lower', 'upper', 'inplace'] as const

export class RReLU extends Module {
  static override readonly attributes: AttributeTable = { lower: 'Final[float]', upper: 'Final[float]', inplace: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.RReLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.rrelu_(input, self.lower, self.upper, self.training)
  return torch.rrelu(input, self.lower, self.upper, self.training)
`
  readonly lower: number
  readonly upper: number
  readonly inplace: boolean
  constructor(...rest: Rest<RReLULayerOptions, typeof rreluNames>) {
    super()
    const { lower = 1 / 8, upper = 1 / 3, inplace = false } = settle<RReLULayerOptions>(rreluNames, rest)
    this.lower = lower
    this.upper = upper
    this.inplace = inplace
  }
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'rrelu_' : 'rrelu', input, this.lower, this.upper, this.training)
  }
  override extraRepr(): string {
    return `lower=${pyFloat(this.lower)}, upper=${pyFloat(this.upper)}${inplaceText(this.inplace)}`
  }
}

export class Threshold extends Module {
  static override readonly attributes: AttributeTable = { threshold: 'Final[float]', value: 'Final[float]', inplace: 'Final[bool]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.Threshold'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.threshold_(input, self.threshold, self.value)
  return torch.threshold(input, self.threshold, self.value)
`
  readonly threshold: number
  readonly value: number
  readonly inplace: boolean
  constructor(threshold: number, value: number, ...rest: InplaceRest) {
    super()
    this.threshold = threshold
    this.value = value
    this.inplace = settle<InplaceLayerOptions>(['inplace'], rest).inplace ?? false
  }
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'threshold_' : 'threshold', input, this.threshold, this.value)
  }
  override extraRepr(): string {
    return `threshold=${this.threshold}, value=${this.value}${inplaceText(this.inplace)}`
  }
}

export class GELU extends Module {
  static override readonly attributes: AttributeTable = { approximate: 'Final[str]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.GELU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.gelu(input, approximate=self.approximate)
`
  readonly approximate: 'none' | 'tanh'
  constructor(...rest: Rest<F.GeluOptions, readonly ['approximate']>) {
    super()
    this.approximate = settle<F.GeluOptions>(['approximate'], rest).approximate ?? 'none'
  }
  override forward(input: Tensor): Tensor {
    return F.gelu(input, this.approximate)
  }
  override extraRepr(): string {
    return `approximate='${this.approximate}'`
  }
}

export interface DimOptions {
  dim?: number
}

export class GLU extends Module {
  static override readonly attributes: AttributeTable = { dim: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.GLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.glu(input, self.dim)
`
  readonly dim: number
  constructor(...rest: Rest<DimOptions, readonly ['dim']>) {
    super()
    this.dim = settle<DimOptions>(['dim'], rest).dim ?? -1
  }
  override forward(input: Tensor): Tensor {
    return op('glu', input, this.dim)
  }
  override extraRepr(): string {
    return `dim=${this.dim}`
  }
}

class Shrink extends Module {
  static override readonly attributes: AttributeTable = { lambd: 'Final[float]' }
  readonly lambd: number
  constructor(...rest: Rest<{ lambd?: number }, readonly ['lambd']>) {
    super()
    this.lambd = settle<{ lambd?: number }>(['lambd'], rest).lambd ?? 0.5
  }
  override extraRepr(): string {
    return pyFloat(this.lambd)
  }
}

export class Hardshrink extends Shrink {
  static readonly pythonName: string = 'torch.nn.modules.activation.Hardshrink'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.hardshrink(input, self.lambd)
`
  override forward(input: Tensor): Tensor {
    return op('hardshrink', input, this.lambd)
  }
}

export class Softshrink extends Shrink {
  static readonly pythonName: string = 'torch.nn.modules.activation.Softshrink'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.softshrink(input, self.lambd)
`
  override forward(input: Tensor): Tensor {
    return op('softshrink', input, this.lambd)
  }
}

export class Softplus extends Module {
  static override readonly attributes: AttributeTable = { beta: 'Final[float]', threshold: 'Final[float]' }
  static readonly pythonName: string = 'torch.nn.modules.activation.Softplus'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.softplus(input, self.beta, self.threshold)
`
  readonly beta: number
  readonly threshold: number
  constructor(...rest: Rest<F.SoftplusOptions, readonly ['beta', 'threshold']>) {
    super()
    const { beta = 1, threshold = 20 } = settle<F.SoftplusOptions>(['beta', 'threshold'], rest)
    this.beta = beta
    this.threshold = threshold
  }
  override forward(input: Tensor): Tensor {
    return op('softplus', input, this.beta, this.threshold)
  }
  override extraRepr(): string {
    return `beta=${pyFloat(this.beta)}, threshold=${pyFloat(this.threshold)}`
  }
}

export interface PReLULayerOptions {
  numParameters?: number
  init?: number
  dtype?: DType
}
const preluNames = ['numParameters', 'init', 'dtype'] as const

export class PReLU extends Module {
  static override readonly attributes: AttributeTable = { numParameters: 'Final[int]', init: 'float' }
  static readonly pythonName: string = 'torch.nn.modules.activation.PReLU'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.prelu(input, self.weight)
`
  readonly numParameters: number
  readonly init: number
  weight: Parameter
  constructor(...rest: Rest<PReLULayerOptions, typeof preluNames>) {
    super()
    const { numParameters = 1, init = 0.25, dtype } = settle<PReLULayerOptions>(preluNames, rest)
    this.numParameters = numParameters
    this.init = init
    this.weight = emptyParameter([numParameters], dtype)
    this.resetParameters()
  }
  resetParameters(): void {
    constant_(this.weight, this.init)
  }
  override forward(input: Tensor): Tensor {
    return op('prelu', input, this.weight)
  }
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`
  }
}

export interface OptionalDimOptions {
  /** Default: 0 for tensors of 0, 1 and 3 dimensions, else 1. */
  dim?: number | null
}
type OptionalDimRest = Rest<OptionalDimOptions, readonly ['dim']>

class SoftmaxBase extends Module {
  static override readonly attributes: AttributeTable = { dim: 'Final[Optional[int]]' }
  readonly dim: number | null
  constructor(...rest: OptionalDimRest) {
    super()
    this.dim = settle<OptionalDimOptions>(['dim'], rest).dim ?? null
  }
  protected dimFor(input: Tensor): number {
    return this.dim ?? F.softmaxDim(input.dim())
  }
  override extraRepr(): string {
    return `dim=${this.dim ?? 'None'}`
  }
}

/** A method whose last line applies `call` along `dim`. */
const softmaxSource = (call: string): string => `
def forward(self, input: Tensor) -> Tensor:
  chosen = self.dim
  dims = input.dim()
  dim = 1
  if dims == 0 or dims == 1 or dims == 3:
    dim = 0
  if chosen is not None:
    dim = chosen
  return ${call}
`

export class Softmax extends SoftmaxBase {
  static readonly pythonName: string = 'torch.nn.modules.activation.Softmax'
  static readonly torchscript: string = softmaxSource('torch.softmax(input, dim)')
  override forward(input: Tensor): Tensor {
    return op('softmax', input, this.dimFor(input))
  }
}
export class LogSoftmax extends SoftmaxBase {
  static readonly pythonName: string = 'torch.nn.modules.activation.LogSoftmax'
  static readonly torchscript: string = softmaxSource('torch.log_softmax(input, dim)')
  override forward(input: Tensor): Tensor {
    return op('log_softmax', input, this.dimFor(input))
  }
}
export class Softmin extends SoftmaxBase {
  static readonly pythonName: string = 'torch.nn.modules.activation.Softmin'
  static readonly torchscript: string = softmaxSource('torch.softmax(torch.neg(input), dim)')
  override forward(input: Tensor): Tensor {
    return op('softmax', op('neg', input), this.dimFor(input))
  }
}

/** Softmax over the channels of images. */
export class Softmax2d extends Module {
  static readonly pythonName: string = 'torch.nn.modules.activation.Softmax2d'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  dims = input.dim()
  assert dims == 3 or dims == 4, "Softmax2d: expected input to be 3D or 4D"
  return torch.softmax(input, -3)
`
  override forward(input: Tensor): Tensor {
    const dims = input.dim()
    if (dims !== 3 && dims !== 4) throw new ArgumentError(`Softmax2d: expected input to be 3D or 4D, got ${dims}D instead`)
    return op('softmax', input, -3)
  }
}
