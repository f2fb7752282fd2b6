import * as torch from '../../../lib/index.js'
import type { AuthoredCase } from '../authored.js'
import { type AnyTensor, op, randn, traced } from './tools.js'

const { nn } = torch

class Tied extends nn.Module {
  embed = new nn.Linear(4, 6, { bias: false })
  out = new nn.Linear(4, 6)
  constructor() {
    super()
    this.out.weight = this.embed.weight
  }
  override forward(x: AnyTensor): AnyTensor {
    return op('add', this.embed.forward(x) as AnyTensor, this.out.forward(x) as AnyTensor)
  }
}

class SharedModule extends nn.Module {
  first = new nn.Linear(4, 4)
  second = this.first
  override forward(x: AnyTensor): AnyTensor {
    return this.second.forward(op('relu', this.first.forward(x)) as AnyTensor) as AnyTensor
  }
}

class Views extends nn.Module {
  constructor() {
    super()
    const whole = torch.arange(0, 12, 1, { dtype: 'float32' })
    this.registerBuffer('head', op('slice', whole, 0, 0, 4))
    this.registerBuffer('odd', op('slice', whole, 0, 1, 9, 2))
    this.registerBuffer('table', op('t', op('view', whole, [3, 4])))
  }
  override forward(x: AnyTensor): AnyTensor {
    const { head, odd, table } = this as unknown as Record<string, AnyTensor>
    return op('add', op('mul', op('matmul', x, table), 1), op('sum', op('mul', head, odd)))
  }
}

class Containers extends nn.Module {
  list = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4)])
  dict = new nn.ModuleDict({ a: new nn.ReLU(), 'b-c': new nn.Tanh() })
  weights = new nn.ParameterList([randn(4), randn(4)])
  override forward(x: AnyTensor): { sum: AnyTensor } | AnyTensor[] {
    const y = (this.list.at(1) as torch.nn.Linear).forward((this.list.at(0) as torch.nn.Linear).forward(x))
    const z = (this.dict.get('a') as torch.nn.ReLU).forward(y)
    return [z, op('mul', y, this.weights.at(1) as AnyTensor)]
  }
}

export const sharingCases: readonly AuthoredCase[] = [
  traced(
    'sharing/tied_weights',
    () => new Tied(),
    () => [randn(2, 4)],
  ),
  traced(
    'sharing/module_twice',
    () => new SharedModule(),
    () => [randn(2, 4)],
  ),
  traced(
    'sharing/views_of_one_storage',
    () => new Views(),
    () => [randn(2, 4)],
  ),
  traced(
    'sharing/containers',
    () => new Containers(),
    () => [randn(2, 4)],
  ),
]
