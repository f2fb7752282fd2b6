import type { Tensor } from '../../../tensor/tensor.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import * as F from '../functional/normalization.js'
import { Module } from '../module.js'
import { checkProbability, type Rest, settle } from '../options.js'
import { py, pyFloat } from '../repr.js'

export interface DropoutLayerOptions {
  p?: number
  inplace?: boolean
}
const names = ['p', 'inplace'] as const
type DropoutRest = Rest<DropoutLayerOptions, typeof names>

class DropoutNd extends Module {
  static override readonly attributes: AttributeTable = { p: 'Final[float]', inplace: 'Final[bool]' }
  readonly p: number
  readonly inplace: boolean
  constructor(...rest: DropoutRest) {
    super()
    const { p = 0.5, inplace = false } = settle<DropoutLayerOptions>(names, rest)
    checkProbability(p)
    this.p = p
    this.inplace = inplace
  }
  override extraRepr(): string {
    return `p=${pyFloat(this.p)}, inplace=${py(this.inplace)}`
  }
}

const dropoutSource = (name: string): string => `
def forward(self, input: Tensor) -> Tensor:
  if self.inplace:
    return torch.${name}_(input, self.p, self.training)
  return torch.${name}(input, self.p, self.training)
`
/** Inputs of `dims` dimensions have no batch: they get one meanwhile. */
const unbatchedSource = (dims: number): string => `
def forward(self, input: Tensor) -> Tensor:
  if input.dim() == ${dims}:
    if self.inplace:
      return torch.feature_dropout_(input.unsqueeze_(0), self.p, self.training).squeeze_(0)
    return torch.feature_dropout(input.unsqueeze(0), self.p, self.training).squeeze(0)
  if self.inplace:
    return torch.feature_dropout_(input, self.p, self.training)
  return torch.feature_dropout(input, self.p, self.training)
`

export class Dropout extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.Dropout'
  static readonly torchscript: string = dropoutSource('dropout')
  override forward(input: Tensor): Tensor {
    return op(this.inplace ? 'dropout_' : 'dropout', input, this.p, this.training)
  }
}
export class Dropout1d extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.Dropout1d'
  static readonly torchscript: string = unbatchedSource(2)
  override forward(input: Tensor): Tensor {
    return F.dropout1d(input, this.p, this.training, this.inplace)
  }
}
export class Dropout2d extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.Dropout2d'
  static readonly torchscript: string = dropoutSource('feature_dropout')
  override forward(input: Tensor): Tensor {
    return F.dropout2d(input, this.p, this.training, this.inplace)
  }
}
export class Dropout3d extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.Dropout3d'
  static readonly torchscript: string = unbatchedSource(4)
  override forward(input: Tensor): Tensor {
    return F.dropout3d(input, this.p, this.training, this.inplace)
  }
}
export class AlphaDropout extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.AlphaDropout'
  static readonly torchscript: string = dropoutSource('alpha_dropout')
  override forward(input: Tensor): Tensor {
    return F.alphaDropout(input, this.p, this.training, this.inplace)
  }
}
export class FeatureAlphaDropout extends DropoutNd {
  static readonly pythonName: string = 'torch.nn.modules.dropout.FeatureAlphaDropout'
  static readonly torchscript: string = dropoutSource('feature_alpha_dropout')
  override forward(input: Tensor): Tensor {
    return F.featureAlphaDropout(input, this.p, this.training, this.inplace)
  }
}
