// Layers with a residual that promotes their results or makes them larger: the rows do product, sum and activation apart, as on the CPU.
import './emulated.js'
import t, { type Test } from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

const { nn, jit } = torch
const F = nn.functional
type T = torch.Tensor
torch.manualSeed(11)

class Layer extends nn.Module {
  constructor(readonly act: (x: T) => T) {
    super()
  }
  linear = new nn.Linear(8, 6)
  override forward(x: T, r: T): T {
    return this.act(this.linear.forward(x).add(r))
  }
}
class Convolution extends nn.Module {
  conv = new nn.Conv2d(3, 4, 3, { padding: 1 })
  override forward(x: T, r: T): T {
    return F.relu(this.conv.forward(x).add(r))
  }
}
const activations: Readonly<Record<string, (x: T) => T>> = {
  none: (x) => x,
  relu: (x) => F.relu(x),
  gelu: (x) => F.gelu(x),
  silu: (x) => F.silu(x),
  tanh: (x) => torch.tanh(x),
  hardswish: (x) => F.hardswish(x),
}

/** The fused layer on both devices, against the operators apart on the CPU. */
function check(t: Test, name: string, module: torch.nn.Module, x: T, r: T, kind: string): void {
  const traced = jit.trace(module.eval(), [x, r])
  const expected = module.forward(x, r) as T
  const here = jit.optimizeForInference(traced)
  const there = jit.optimizeForInference(traced, { device: 'cuda' })
  const graph = (there as unknown as { graphFor(...args: T[]): string }).graphFor(x.to('cuda'), r.to('cuda'))
  t.match(graph, `torchscript::${kind}`, `${name} is fused`)
  const tolerance = 2e-6
  for (let i = 0; i < 3; i++) {
    const [a, b] = [here.forward(x, r) as T, there.forward(x.to('cuda'), r.to('cuda')) as T]
    t.equal(b.device, 'cuda:0')
    t.same([b.dtype, b.shape], [expected.dtype, expected.shape], name)
    t.ok(distance(b.to('float64'), expected.to('float64')) <= tolerance, `${name}, call ${i}: ${distance(b.to('float64'), expected.to('float64'))}`)
    t.ok(distance(a.to('float64'), b.to('float64')) <= tolerance, `${name} as on the CPU`)
  }
}

t.test('linear layers', (t) => {
  const x = torch.randn([5, 8])
  for (const [name, act] of Object.entries(activations)) {
    check(t, `${name}, float64`, new Layer(act), x, torch.randn([5, 6], { dtype: 'float64' }), 'linear_epilogue')
    check(t, `${name}, larger`, new Layer(act), x, torch.randn([2, 5, 6]), 'linear_epilogue')
  }
  check(t, 'float16', new Layer(activations.relu), x, torch.randn([5, 6]).to('float16'), 'linear_epilogue')
  check(t, 'int64', new Layer(activations.none), x, torch.randint(-3, 3, [5, 6]), 'linear_epilogue')
  check(t, 'rows of one vector', new Layer(activations.relu), torch.randn([1, 8]), torch.randn([4, 6]), 'linear_epilogue')
  check(t, 'both', new Layer(activations.silu), x, torch.randn([3, 1, 6], { dtype: 'float64' }), 'linear_epilogue')
  t.end()
})

t.test('convolutions', (t) => {
  const x = torch.randn([1, 3, 5, 4])
  check(t, 'float64', new Convolution(), x, torch.randn([1, 4, 5, 4], { dtype: 'float64' }), 'convolution_epilogue')
  check(t, 'larger', new Convolution(), x, torch.randn([3, 4, 5, 4]), 'convolution_epilogue')
  check(t, 'repeated', new Convolution(), x, torch.randn([4, 1, 1]), 'convolution_epilogue')
  check(t, 'both', new Convolution(), x, torch.randn([2, 4, 5, 1], { dtype: 'float64' }), 'convolution_epilogue')
  t.end()
})
