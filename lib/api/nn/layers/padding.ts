import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { Module } from '../module.js'
import { type IntList, tuple } from '../options.js'
import { py } from '../repr.js'

/** Pads `dims` dimensions on both sides, from the last one on. */
class Pad extends Module {
  static override readonly attributes: AttributeTable = { padding: 'Final[Tuple[int, ...]]' }
  protected static readonly dims: number = 0
  readonly padding: number[]
  constructor(padding: IntList) {
    super()
    this.padding = tuple(padding, 2 * (new.target as unknown as typeof Pad).dims, 'padding')
  }
  override extraRepr(): string {
    return py(this.padding)
  }
}

const padSource = (mode: string): string => `
def forward(self, input: Tensor) -> Tensor:
  return torch.pad(input, self.padding, "${mode}")
`

class ReflectionPad extends Pad {
  static readonly torchscript: string = padSource('reflect')
  override forward(input: Tensor): Tensor {
    return op('pad', input, this.padding, 'reflect', null)
  }
}
class ReplicationPad extends Pad {
  static readonly torchscript: string = padSource('replicate')
  override forward(input: Tensor): Tensor {
    return op('pad', input, this.padding, 'replicate', null)
  }
}
class CircularPad extends Pad {
  static readonly torchscript: string = padSource('circular')
  override forward(input: Tensor): Tensor {
    const { dims } = this.constructor as typeof CircularPad
    if (input.dim() !== dims + 1 && input.dim() !== dims + 2)
      throw new ArgumentError(`expected ${dims + 1}D or ${dims + 2}D input (got ${input.dim()}D input)`)
    return op('pad', input, this.padding, 'circular', null)
  }
}

class ConstantPad extends Pad {
  static override readonly attributes: AttributeTable = { value: 'Final[float]' }
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  return torch.pad(input, self.padding, "constant", self.value)
`
  readonly value: number
  constructor(padding: IntList, value: number) {
    super(padding)
    this.value = value
  }
  override forward(input: Tensor): Tensor {
    return op('pad', input, this.padding, 'constant', this.value)
  }
  override extraRepr(): string {
    return `padding=${py(this.padding)}, value=${py(this.value)}`
  }
}
class ZeroPad extends ConstantPad {
  constructor(padding: IntList) {
    super(padding, 0)
  }
  override extraRepr(): string {
    return py(this.padding)
  }
}
export class ReflectionPad1d extends ReflectionPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReflectionPad1d'
  protected static override readonly dims: number = 1
}
export class ReflectionPad2d extends ReflectionPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReflectionPad2d'
  protected static override readonly dims: number = 2
}
export class ReflectionPad3d extends ReflectionPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReflectionPad3d'
  protected static override readonly dims: number = 3
}
export class ReplicationPad1d extends ReplicationPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReplicationPad1d'
  protected static override readonly dims: number = 1
}
export class ReplicationPad2d extends ReplicationPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReplicationPad2d'
  protected static override readonly dims: number = 2
}
export class ReplicationPad3d extends ReplicationPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ReplicationPad3d'
  protected static override readonly dims: number = 3
}
export class CircularPad1d extends CircularPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.CircularPad1d'
  protected static override readonly dims: number = 1
}
export class CircularPad2d extends CircularPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.CircularPad2d'
  protected static override readonly dims: number = 2
}
export class CircularPad3d extends CircularPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.CircularPad3d'
  protected static override readonly dims: number = 3
}
export class ConstantPad1d extends ConstantPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ConstantPad1d'
  protected static override readonly dims: number = 1
}
export class ConstantPad2d extends ConstantPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ConstantPad2d'
  protected static override readonly dims: number = 2
}
export class ConstantPad3d extends ConstantPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ConstantPad3d'
  protected static override readonly dims: number = 3
}
export class ZeroPad1d extends ZeroPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ZeroPad1d'
  protected static override readonly dims: number = 1
}
export class ZeroPad2d extends ZeroPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ZeroPad2d'
  protected static override readonly dims: number = 2
}
export class ZeroPad3d extends ZeroPad {
  static readonly pythonName: string = 'torch.nn.modules.padding.ZeroPad3d'
  protected static override readonly dims: number = 3
}
