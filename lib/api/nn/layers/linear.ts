import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { fanInAndFanOut, kaimingUniform_, uniform_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { py } from '../repr.js'
import { linearNames } from './option-names.js'

/** Gives its first argument back; takes any others. */
export class Identity extends Module {
  static readonly pythonName: string = 'torch.nn.modules.linear.Identity'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return input
`
  constructor(..._args: unknown[]) {
    super()
  }
  override forward<T>(input: T): T {
    return input
  }
}

export interface LinearOptions {
  bias?: boolean
  dtype?: DType
}

/** `x Wᵀ + b` */
export class Linear extends Module {
  static override readonly attributes: AttributeTable = { inFeatures: 'Final[int]', outFeatures: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.linear.Linear'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.linear(input, self.weight, self.bias)
`
  readonly inFeatures: number
  readonly outFeatures: number
  weight: Parameter
  bias: Parameter | null

  constructor(inFeatures: number, outFeatures: number, ...rest: Rest<LinearOptions, typeof linearNames>) {
    super()
    const { bias = true, dtype } = settle<LinearOptions>(linearNames, rest)
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    this.weight = emptyParameter([outFeatures, inFeatures], dtype)
    this.bias = bias ? emptyParameter([outFeatures], dtype) : null
    if (!bias) this.registerParameter('bias', null)
    this.resetParameters()
  }
  resetParameters(): void {
    kaimingUniform_(this.weight, Math.sqrt(5))
    if (this.bias !== null) {
      const [fanIn] = fanInAndFanOut(this.weight)
      const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0
      uniform_(this.bias, -bound, bound)
    }
  }
  override forward(input: Tensor): Tensor {
    return op('linear', input, this.weight, this.bias)
  }
  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${py(this.bias !== null)}`
  }
}

/** The linear layer inside attention, which PyTorch's quantization leaves alone. */
export class NonDynamicallyQuantizableLinear extends Linear {
  static override readonly pythonName: string = 'torch.nn.modules.linear.NonDynamicallyQuantizableLinear'
}

/** `x1ᵀ W x2 + b` */
export class Bilinear extends Module {
  static override readonly attributes: AttributeTable = { in1Features: 'Final[int]', in2Features: 'Final[int]', outFeatures: 'Final[int]' }
  static readonly pythonName: string = 'torch.nn.modules.linear.Bilinear'
  static readonly torchscript: string = `
def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
  return torch.bilinear(input1, input2, self.weight, self.bias)
`
  readonly in1Features: number
  readonly in2Features: number
  readonly outFeatures: number
  weight: Parameter
  bias: Parameter | null

  constructor(in1Features: number, in2Features: number, outFeatures: number, ...rest: Rest<LinearOptions, typeof linearNames>) {
    super()
    const { bias = true, dtype } = settle<LinearOptions>(linearNames, rest)
    this.in1Features = in1Features
    this.in2Features = in2Features
    this.outFeatures = outFeatures
    this.weight = emptyParameter([outFeatures, in1Features, in2Features], dtype)
    this.bias = bias ? emptyParameter([outFeatures], dtype) : null
    if (!bias) this.registerParameter('bias', null)
    this.resetParameters()
  }
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features)
    uniform_(this.weight, -bound, bound)
    if (this.bias !== null) uniform_(this.bias, -bound, bound)
  }
  override forward(input1: Tensor, input2: Tensor): Tensor {
    return op('bilinear', input1, input2, this.weight, this.bias)
  }
  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${py(this.bias !== null)}`
  }
}
