import * as torch from '../../../lib/index.js'
import type { Tensor } from '../../../lib/index.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase, AuthoredModule } from '../authored.js'
import { randn } from './tools.js'

type int = number
type float = number
const { nn } = torch

class Lists extends nn.Module {
  sizes: int[] = [1, 2, 3]
  names: string[] = ['a', 'ü', 'c']
  weights: Tensor[] = [randn(4), randn(4)]
  empty: float[] = []
  override forward(x: Tensor): [Tensor, int[], string[], float[]] {
    let y = x
    for (const w of this.weights) y = y.add(w)
    return [y.mul(this.sizes[2]), this.sizes, this.names, this.empty]
  }
}

class Dicts extends nn.Module {
  scales: Map<string, float> = new Map([
    ['low', 0.5],
    ['high', 2],
  ])
  tables: Map<int, Tensor> = new Map([
    [1, randn(4)],
    [7, randn(4)],
  ])
  override forward(x: Tensor, key: string): Tensor {
    return x.mul(this.scales.get(key)!).add(this.tables.get(7)!)
  }
}

class Tuples extends nn.Module {
  pair: [int, string] = [3, 'three']
  nested: [float, [Tensor, boolean]] = [0.5, [randn(4), true]]
  override forward(x: Tensor): [Tensor, string] {
    const [scale, inner] = this.nested
    return [x.mul(scale).add(inner[0]).add(this.pair[0]), this.pair[1]]
  }
}

class Optionals extends nn.Module {
  bias: Tensor | null = null
  given: Tensor | null = randn(4)
  limit: int | null = 5
  override forward(x: Tensor): Tensor {
    let y = x
    const { bias, given, limit } = this
    if (bias !== null) y = y.add(bias)
    if (given !== null) y = y.mul(given)
    if (limit !== null) y = y.clamp(-limit, limit)
    return y
  }
}

class BigInts extends nn.Module {
  big: bigint = 9007199254740993n
  lowest: bigint = -9223372036854775808n
  constructor() {
    super()
    this.registerBuffer('table', torch.tensor([9007199254740993n, -9223372036854775808n, 9223372036854775807n], { dtype: 'int64' }))
  }
  override forward(x: Tensor): [Tensor, bigint, bigint] {
    return [this.table.add(x), this.big, this.lowest]
  }
  declare table: Tensor
}

class Point {
  x: float
  y: float
  constructor(x: float, y: float) {
    this.x = x
    this.y = y
  }
  norm(): float {
    return Math.sqrt(this.x * this.x + this.y * this.y)
  }
}

class UsesClass extends nn.Module {
  override forward(x: Tensor, n: int): Tensor {
    const p = new Point(3, 4)
    p.x = p.x + n
    return x.mul(p.norm())
  }
}

class HoldsObject extends nn.Module {
  origin = new Point(1, 2)
  override forward(x: Tensor): Tensor {
    return x.add(this.origin.x).mul(this.origin.norm())
  }
}

class Constants extends nn.Module {
  static rate: float = 0.25
  static names = ['a', 'b']
  static readonly depth: int = 3
  readonly kernel: [int, int] = [2, 2]
  override forward(x: Tensor): Tensor {
    let y = x
    for (let i = 0; i < Constants.depth; i++) y = y.mul(Constants.rate)
    return torch.maxPool2d(y, this.kernel)
  }
}

class Written extends nn.Module {
  history: Tensor[] = []
  count: int = 0
  override forward(x: Tensor): Tensor {
    this.history.push(x)
    this.count += 1
    return x.add(this.count).mul(this.history.length)
  }
}

class Inner extends nn.Module {
  fc = new nn.Linear(4, 4)
  override forward(x: Tensor): Tensor {
    return torch.relu(this.fc.forward(x))
  }
}
class SharedChild extends nn.Module {
  first = new Inner()
  second = this.first
  third = new Inner()
  override forward(x: Tensor): Tensor {
    return this.third.forward(this.second.forward(this.first.forward(x)))
  }
}
class TiedScripted extends nn.Module {
  embed = new nn.Embedding(10, 4)
  out = new nn.Linear(4, 10, { bias: false })
  constructor() {
    super()
    this.out.weight = this.embed.weight
  }
  override forward(tokens: Tensor): Tensor {
    return this.out.forward(this.embed.forward(tokens))
  }
}

class Dictionary extends nn.Module {
  layers = new nn.ModuleDict({ first: new nn.Linear(4, 4), second: new nn.Linear(4, 4) })
  blocks = new nn.ModuleList([new Inner(), new Inner()])
  override forward(x: Tensor): Tensor {
    let y = x
    for (const layer of this.layers.values()) y = layer.forward(y)
    for (const block of this.blocks) y = block.forward(y)
    return y
  }
}

type Rest = Omit<AuthoredModule, 'module' | 'inputs'>
const scripted = (name: string, make: () => torch.nn.Module, inputs: () => unknown[], rest: Rest = {}): AuthoredCase => ({
  name: `attributes/${name}`,
  make() {
    manualSeed(1)
    return { module: torch.jit.script(make().eval()), inputs: inputs(), ...rest }
  },
})
const vector = (): unknown[] => [randn(2, 4)]

/** What modules hold besides parameters, scripted. */
export const attributeCases: readonly AuthoredCase[] = [
  scripted('lists', () => new Lists(), vector),
  scripted(
    'dicts',
    () => new Dicts(),
    () => [randn(2, 4), 'high'],
  ),
  scripted('tuples', () => new Tuples(), vector),
  scripted('optionals', () => new Optionals(), vector),
  scripted(
    'big_ints',
    () => new BigInts(),
    () => [torch.tensor([1n, 1n, -1n], { dtype: 'int64' })],
  ),
  scripted(
    'class_in_a_method',
    () => new UsesClass(),
    () => [randn(2, 4), 2],
  ),
  scripted('object', () => new HoldsObject(), vector),
  scripted(
    'constants',
    () => new Constants(),
    () => [randn(1, 1, 4, 4)],
  ),
  scripted('written', () => new Written(), vector),
  scripted('shared_child', () => new SharedChild(), vector),
  scripted(
    'tied',
    () => new TiedScripted(),
    () => [torch.tensor([[1n, 3n, 9n]])],
  ),
  scripted('module_dict_and_list', () => new Dictionary(), vector),
]
