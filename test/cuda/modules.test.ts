import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

const { nn } = torch
const F = nn.functional
torch.manualSeed(13)
type T = torch.Tensor

// What a residual network is made of.
class Residual extends nn.Module {
  stem = new nn.Conv2d(3, 8, 5, { stride: 2, padding: 2, bias: false })
  norm = new nn.BatchNorm2d(8)
  pool = new nn.MaxPool2d(3, { stride: 2, padding: 1 })
  conv1 = new nn.Conv2d(8, 8, 3, { padding: 1, bias: false })
  norm1 = new nn.BatchNorm2d(8)
  conv2 = new nn.Conv2d(8, 8, 3, { padding: 1, groups: 8 })
  norm2 = new nn.BatchNorm2d(8)
  average = new nn.AdaptiveAvgPool2d([1, 1])
  head = new nn.Linear(8, 5)
  override forward(x: T): T {
    let y = this.pool.forward(F.relu(this.norm.forward(this.stem.forward(x))))
    const branch = this.norm2.forward(this.conv2.forward(F.relu(this.norm1.forward(this.conv1.forward(y)))))
    y = F.relu(branch.add(y))
    return this.head.forward(torch.flatten(this.average.forward(y), 1))
  }
}

// What a transformer is made of, without its normalization.
class Attending extends nn.Module {
  queries = new nn.Linear(16, 48)
  out = new nn.Linear(16, 16)
  up = new nn.Linear(16, 32)
  down = new nn.Linear(32, 16)
  override forward(x: T): T {
    const heads = (y: T): T => y.reshape([2, 7, 4, 4]).transpose(1, 2)
    const all = this.queries.forward(x)
    const [q, k, v] = [0, 16, 32].map((from) => heads(all.slice(2, from, from + 16)))
    const seen = F.scaledDotProductAttention(q, k, v, { isCausal: true }).transpose(1, 2).reshape([2, 7, 16])
    const y = this.out.forward(seen).add(x)
    return this.down.forward(F.gelu(this.up.forward(y))).add(y)
  }
}

/** The traced module on the CPU and, moved, on the device; operators that fall back are named. */
function run(module: torch.nn.Module, input: T, frozen: boolean): { distance: number; device: string; fallenBack: readonly string[] } {
  module.eval()
  const load = (): torch.jit.ScriptModule => {
    const traced = torch.jit.trace(module, [input])
    return frozen ? torch.jit.freeze(traced) : traced
  }
  const expected = load().forward(input) as T
  const moved = load().to('cuda')
  torch.cuda.takeFallenBack()
  const received = moved.forward(input.to('cuda')) as T
  return { distance: distance(received, expected), device: received.device, fallenBack: torch.cuda.takeFallenBack() }
}

torch.cuda.setFallback('cpu')
for (const [name, module, shape] of [
  ['convolutions', () => new Residual(), [2, 3, 21, 19]],
  ['attention', () => new Attending(), [2, 7, 16]],
] as const)
  for (const frozen of [false, true])
    t.test(`${name}${frozen ? ', frozen' : ''}`, (t) => {
      const result = run(module(), torch.randn([...shape]), frozen)
      t.equal(result.device, 'cuda:0')
      t.ok(result.distance <= 1e-4, `distance ${result.distance}`)
      t.same(result.fallenBack, [])
      t.end()
    })
