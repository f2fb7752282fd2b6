import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

const { nn, jit } = torch
const F = nn.functional
type T = torch.Tensor
torch.manualSeed(3)

class Net extends nn.Module {
  up = new nn.Linear(6, 16)
  norm = new nn.LayerNorm([16])
  down = new nn.Linear(16, 4)
  override forward(x: T): T {
    return torch.softmax(this.down.forward(F.relu(this.norm.forward(this.up.forward(x)))), 1)
  }
}
const net = new Net().eval()
const frozen = (): torch.jit.ScriptModule => jit.freeze(jit.trace(net, [torch.randn([3, 6])]))
/** What `run` adds to the counters. */
function counted(run: () => void): { captured: number; launches: number; nodes: number } {
  const before = torch.cuda.graphStats()
  run()
  const after = torch.cuda.graphStats()
  return {
    captured: after.captured - before.captured,
    launches: after.launches - before.launches,
    nodes: after.launchedNodes - before.launchedNodes,
  }
}

t.test('the first call records, the second captures and launches, the others launch', (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  const inputs = [0, 1, 2, 3].map(() => torch.randn([3, 6]))
  const results: T[] = []
  const counts = inputs.map((x) => counted(() => results.push(there.forward(x.to('cuda')) as T)))
  const [report] = there.explain()
  t.equal(report.state, 'recorded')
  t.equal(report.graphs, 1)
  t.equal(report.graphReason, '')
  t.ok(report.graphNodes >= 3)
  const { graphNodes: nodes } = report
  t.same(counts, [
    { captured: 0, launches: 0, nodes: 0 },
    { captured: 1, launches: 1, nodes },
    { captured: 0, launches: 1, nodes },
    { captured: 0, launches: 1, nodes },
  ])
  // The results of earlier calls are still there.
  results.forEach((result, i) => {
    t.equal(result.device, 'cuda:0')
    t.ok(distance(result, here.forward(inputs[i]) as T) <= 1e-5, `call ${i}`)
  })
  t.match(torch.explain(there, [inputs[0].to('cuda')]).toString(), new RegExp(`device arena .*, 1 CUDA graph of ${nodes} nodes`))
  t.end()
})

t.test('arguments on the CPU are copied in the graph', (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  const results: [T, T][] = []
  const call = (): void => {
    const x = torch.randn([3, 6])
    const y = there.forward(x) as T
    results.push([y, here.forward(x) as T])
    // The memory of the argument is the caller's again.
    x.fill_(7)
  }
  call()
  const device = frozen().to('cuda')
  for (let i = 0; i < 2; i++) device.forward(torch.randn([3, 6]).to('cuda'))
  t.same(counted(call), { captured: 1, launches: 1, nodes: device.explain()[0].graphNodes + 1 })
  call()
  call()
  results.forEach(([y, expected], i) => t.ok(distance(y, expected) <= 1e-5, `call ${i}`))
  // In another order of memory.
  const strided = torch.randn([6, 3]).t()
  for (let i = 0; i < 3; i++) t.ok(distance(there.forward(strided) as T, here.forward(strided) as T) <= 1e-5, `transposed, call ${i}`)
  t.equal(there.explain().filter(({ graphs }) => graphs === 1).length, 2)
  t.end()
})

t.test('with reduce-overhead the result is the memory of the graph', (t) => {
  const compiled = torch.compile(frozen().to('cuda'), { mode: 'reduce-overhead' })
  const inputs = [0, 1, 2].map(() => torch.randn([3, 6]).to('cuda'))
  compiled(inputs[0])
  const first = compiled(inputs[0]) as T
  const before = first.toArray()
  const second = compiled(inputs[1]) as T
  t.equal(first, second)
  t.notSame(first.toArray(), before)
  const here = frozen()
  t.ok(distance(second, here.forward(inputs[1].cpu()) as T) <= 1e-5)
  t.ok(distance(compiled(inputs[2]) as T, here.forward(inputs[2].cpu()) as T) <= 1e-5)
  t.end()
})

t.test('listeners see kernels, and graphs go on after them', (t) => {
  const there = frozen().to('cuda')
  const here = frozen()
  const check = (): void => {
    const x = torch.randn([3, 6])
    t.ok(distance(there.forward(x.to('cuda')) as T, here.forward(x) as T) <= 1e-5)
  }
  for (let i = 0; i < 3; i++) check()
  const profile = torch.profiler.profile(() => check())
  t.ok(profile.events.length >= 3)
  t.equal(counted(check).launches, 1)
  t.end()
})

t.test('arguments that are written, results that are arguments, constants in results', (t) => {
  const unit = new jit.CompilationUnit(`
def f(x, y):
    x.mul_(2)
    x.add_(y)
    z = x.relu() * 3
    return z, x, torch.ones([2]) + 1, z[1], y
`)
  const module = (...args: T[]): T[] => unit.f(...args) as T[]
  const [a, b] = [torch.randn([3, 4]), torch.randn([3, 4])]
  const [x, y] = [a.to('cuda'), b.to('cuda')]
  for (let i = 0; i < 4; i++) {
    const expected = module(a, b)
    const received = module(x, y)
    expected.forEach((tensor, k) => t.ok(distance(received[k], tensor) <= 1e-5, `call ${i}, result ${k}`))
    t.ok(distance(x, a) <= 1e-5, 'the argument is written')
    a.copy_(torch.randn([3, 4]))
    x.copy_(a)
  }
  t.ok(torch.cuda.graphStats().captured > 0)
  t.end()
})
