import * as torch from '../../../lib/index.js'
import type { Tensor } from '../../../lib/index.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase } from '../authored.js'
import { randn } from './tools.js'

type int = number
type float = number
const { nn } = torch

class Branch extends nn.Module {
  fc = new nn.Linear(4, 4)
  override forward(x: Tensor): Tensor {
    if ((x.sum().item() as number) > 0) return this.fc.forward(x)
    else return x.neg()
  }
}

class Loop extends nn.Module {
  fc = new nn.Linear(4, 4)
  override forward(x: Tensor, times: int): Tensor {
    let y = x
    for (let i = 0; i < times; i++) y = torch.tanh(this.fc.forward(y)).add(i)
    return y
  }
}

class Cell extends nn.Module {
  input = new nn.Linear(3, 5)
  hidden = new nn.Linear(5, 5)
  override forward(x: Tensor, h: Tensor): Tensor {
    return torch.tanh(this.input.forward(x).add(this.hidden.forward(h)))
  }
}

class Recurrent extends nn.Module {
  cell = new Cell()
  override forward(x: Tensor): Tensor {
    let h = torch.zeros([x.size(1), 5])
    for (let t = 0; t < x.size(0); t++) h = this.cell.forward(x.select(0, t), h)
    return h
  }
}

class Optional extends nn.Module {
  override forward(x: Tensor, mask: Tensor | null = null): [Tensor, Tensor] {
    if (mask !== null) return [x.mul(mask), mask]
    return [x, x.neg()]
  }
}

class Stack extends nn.Module {
  layers = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.Linear(4, 4)])
  scale: float = 0.5
  override forward(x: Tensor): Tensor {
    let y = x
    for (const layer of this.layers) y = torch.relu(layer.forward(y))
    return y.mul(this.scale)
  }
}

class Strings extends nn.Module {
  override forward(x: Tensor, name: string): string {
    return `${name}: ${x.dim()} é`
  }
}

class Counting extends nn.Module {
  count: int = 3
  override forward(x: Tensor): Tensor {
    this.count += 1
    return x.mul(this.count)
  }
}

const scripted = (name: string, make: () => torch.nn.Module, inputs: () => unknown[]): AuthoredCase => ({
  name: `scripted/${name}`,
  make() {
    manualSeed(1)
    return { module: torch.jit.script(make().eval()), inputs: inputs() }
  },
})

/** Modules written in TypeScript and compiled from their source. */
export const scriptedCases: readonly AuthoredCase[] = [
  scripted(
    'adaptive_log_softmax',
    () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10, 15]),
    () => [randn(5, 8), torch.tensor([0n, 19n, 4n, 3n, 12n])],
  ),
  scripted(
    'linear_cross_entropy',
    () => new nn.LinearCrossEntropyLoss(6, 4, { outFeatures: [2], bias: true, labelSmoothing: 0.1 }),
    () => [
      randn(2, 6),
      torch.tensor([
        [1n, 3n],
        [0n, 2n],
      ]),
    ],
  ),
  scripted(
    'cross_map_lrn',
    () => new nn.CrossMapLRN2d(3, { alpha: 0.5 }),
    () => [randn(1, 5, 2, 3)],
  ),
  scripted(
    'branch_taken',
    () => new Branch(),
    () => [torch.ones([2, 4])],
  ),
  scripted(
    'branch_not_taken',
    () => new Branch(),
    () => [torch.ones([2, 4]).neg()],
  ),
  scripted(
    'loop',
    () => new Loop(),
    () => [randn(2, 4), 3],
  ),
  scripted(
    'recurrent',
    () => new Recurrent(),
    () => [randn(6, 2, 3)],
  ),
  scripted(
    'optional_given',
    () => new Optional(),
    () => [randn(2, 2), torch.ones([2, 2])],
  ),
  scripted(
    'optional_missing',
    () => new Optional(),
    () => [randn(2, 2)],
  ),
  scripted(
    'module_list',
    () => new Stack(),
    () => [randn(2, 4)],
  ),
  scripted(
    'strings',
    () => new Strings(),
    () => [randn(2, 4), 'x'],
  ),
  scripted(
    'attribute_written',
    () => new Counting(),
    () => [randn(2, 4)],
  ),
]
