// Results that are read on the CPU each time are copied to pinned memory by the graph itself.
import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

const { nn, jit } = torch
type T = torch.Tensor
torch.manualSeed(7)

class Net extends nn.Module {
  up = new nn.Linear(6, 16)
  down = new nn.Linear(16, 4)
  override forward(x: T): T {
    return torch.softmax(this.down.forward(torch.tanh(this.up.forward(x))), 1)
  }
}
const net = new Net().eval()
const frozen = (): torch.jit.ScriptModule => jit.freeze(jit.trace(net, [torch.randn([3, 6])]))
const reads = (): number => torch.cuda.graphStats().pinnedReads
/** How many reads in pinned memory there were in `run`. */
function served(run: () => void): number {
  const before = reads()
  run()
  return reads() - before
}
/** A module whose result is copied by its graph: read after each of enough calls. */
function warm(there: torch.jit.ScriptModule): void {
  for (let i = 0; i < 5; i++) (there.forward(torch.randn([3, 6]).to('cuda')) as T).cpu()
}

t.test('reads after each call make the graph copy; the ways to read', (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  const counts: number[] = []
  let nodes = 0
  for (let i = 0; i < 6; i++) {
    const x = torch.randn([3, 6])
    const expected = here.forward(x) as T
    const y = there.forward(x.to('cuda')) as T
    counts.push(served(() => t.ok(distance(y.cpu(), expected) <= 1e-5, `call ${i}`)))
    if (i === 1) nodes = there.explain()[0].graphNodes
  }
  t.same(counts, [0, 0, 0, 1, 1, 1], 'after two calls of the graph')
  t.equal(there.explain()[0].graphNodes, nodes + 1, 'one copy more')
  t.equal(there.explain()[0].pinnedBytes, 256)
  const x = torch.randn([3, 6])
  const expected = here.forward(x) as T
  const first = new jit.CompilationUnit('def f(x):\n    return x[1, 2].item()')
  const moved = new jit.CompilationUnit("def f(x):\n    return x.t().to('cpu')")
  for (let i = 0; i < 3; i++) {
    const y = there.forward(x.to('cuda')) as T
    t.equal(served(() => t.ok(distance(y, expected) <= 1e-5)), 1, 'toArray')
    t.equal(served(() => t.match(String(y), /cuda:0/)), 1, 'text')
    t.equal(served(() => t.ok(distance(y.to('cpu'), expected) <= 1e-5)), 1, 'to')
    t.equal(served(() => t.ok(distance(y.to({ device: 'cpu', dtype: 'float64' }), expected.to('float64')) <= 1e-5)), 0, 'cast on the device')
    t.equal(served(() => t.ok(distance(y.t().slice(0, 1, 3).cpu(), expected.t().slice(0, 1, 3)) <= 1e-5)), 1, 'a view')
    t.equal(served(() => t.equal(y.select(0, 1).select(0, 2).item(), expected.select(0, 1).select(0, 2).item())), 1, 'item')
    t.equal(served(() => t.equal(first.f(y), expected.select(0, 1).select(0, 2).item())), 1, 'item in a program')
    t.equal(served(() => t.ok(distance(moved.f(y) as T, expected.t()) <= 1e-5)), 1, 'a copy in a program')
  }
  t.end()
})

t.test('results that stay on the device cost nothing, and copies that nobody takes end', (t) => {
  const there = frozen().to('cuda')
  const x = torch.randn([3, 6]).to('cuda')
  for (let i = 0; i < 8; i++) (there.forward(x) as T).add(1)
  const [{ graphNodes, pinnedBytes }] = there.explain()
  t.equal(pinnedBytes, 0)
  const { pinnedBytes: before } = torch.cuda.memoryStats()
  warm(there)
  t.equal(there.explain()[0].graphNodes, graphNodes + 1)
  t.equal(torch.cuda.memoryStats().pinnedBytes - before, 256)
  const { captured } = torch.cuda.graphStats()
  for (let i = 0; i < 12; i++) there.forward(x)
  t.equal(there.explain()[0].graphNodes, graphNodes)
  t.equal(torch.cuda.memoryStats().pinnedBytes, before)
  t.equal(torch.cuda.graphStats().captured - captured, 1)
  // The next time more reads are needed.
  for (let i = 0; i < 8; i++) (there.forward(x) as T).cpu()
  t.equal(there.explain()[0].graphNodes, graphNodes)
  for (let i = 0; i < 2; i++) (there.forward(x) as T).cpu()
  t.equal(there.explain()[0].graphNodes, graphNodes + 1)
  there.dispose()
  t.equal(torch.cuda.memoryStats().pinnedBytes, before)
  t.end()
})

t.test('what is written, and earlier results, are read from the device', (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  warm(there)
  const inputs = [0, 1, 2].map(() => torch.randn([3, 6]))
  const wanted = inputs.map((x) => here.forward(x) as T)
  const results = inputs.map((x) => there.forward(x.to('cuda')) as T)
  t.equal(served(() => results.forEach((y, i) => t.ok(distance(y, wanted[i]) <= 1e-5, `call ${i}`))), 1, 'the last one')
  const last = results[2]
  last.select(0, 0).mul_(3)
  wanted[2].select(0, 0).mul_(3)
  t.equal(served(() => t.ok(distance(last, wanted[2]) <= 1e-5)), 0, 'written through a view')
  const unit = new jit.CompilationUnit("def f(x):\n    x.add_(1)\n    return x.to('cpu')")
  for (let i = 0; i < 4; i++) {
    const y = there.forward(inputs[0].to('cuda')) as T
    t.equal(served(() => t.ok(distance(unit.f(y) as T, wanted[0].add(1)) <= 1e-5)), 0, 'written by a program that reads it')
    t.ok(distance(y, wanted[0].add(1)) <= 1e-5)
  }
  const copied = there.forward(inputs[0].to('cuda')) as T
  copied.copy_(torch.ones([3, 4]).to('cuda'))
  t.same(copied.toArray(), torch.ones([3, 4]).toArray())
  // A result whose module is gone.
  const survivor = there.forward(inputs[1].to('cuda')) as T
  there.dispose()
  t.equal(served(() => t.ok(distance(survivor, wanted[1]) <= 1e-5)), 0)
  t.end()
})

t.test('several results: shared storage, arguments, constants, only those that are read', (t) => {
  const unit = new jit.CompilationUnit(`
def f(x, y):
    z = (x + y).softmax(1).softmax(0).relu()
    w = z.softmax(0).softmax(1)
    return z, z[1], x, torch.ones([2]) + 1, w, z.t()
`)
  for (const wanted of [[0, 1], [1], [4], [0, 2, 3, 4, 5], [5, 3]]) {
    const counts: number[] = []
    for (let i = 0; i < 6; i++) {
      const [x, y] = [torch.randn([3, 4]), torch.randn([3, 4])]
      const expected = unit.f(x, y) as T[]
      const received = unit.f(x.to('cuda'), y.to('cuda')) as T[]
      counts.push(served(() => wanted.forEach((k) => t.ok(distance(received[k], expected[k]) <= 1e-5, `result ${k}, call ${i}`))))
    }
    // Arguments and constants are no results of graphs.
    const own = wanted.filter((k) => k !== 2 && k !== 3).length
    t.equal(counts[5], own, wanted.join())
  }
  t.end()
})

t.test('with reduce-overhead', (t) => {
  const here = frozen()
  const compiled = torch.compile(frozen().to('cuda'), { mode: 'reduce-overhead' })
  const counts: number[] = []
  for (let i = 0; i < 6; i++) {
    const x = torch.randn([3, 6])
    const y = compiled(x.to('cuda')) as T
    counts.push(served(() => t.ok(distance(y, here.forward(x) as T) <= 1e-5, `call ${i}`)))
  }
  t.same(counts, [0, 0, 0, 1, 1, 1])
  const x = torch.randn([3, 6])
  const y = compiled(x.to('cuda')) as T
  y.add_(1)
  t.equal(served(() => t.ok(distance(y, (here.forward(x) as T).add(1)) <= 1e-5)), 0, 'written')
  t.ok(distance(compiled(x.to('cuda')) as T, here.forward(x) as T) <= 1e-5, 'and made again')
  t.end()
})

t.test('steps one by one at the end, and numbers that are looked at', (t) => {
  const unit = new jit.CompilationUnit(`
def f(x):
    y = x.softmax(1).softmax(0).softmax(1) * 2
    if bool(x.sum() > 0):
        return y.softmax(0).softmax(1).softmax(0) + 1
    return y.softmax(1)
`)
  const counts: number[] = []
  for (let i = 0; i < 16; i++) {
    const x = torch.full([2, 3], i < 8 ? 1.5 : -1.5)
    counts.push(served(() => t.ok(distance(unit.f(x.to('cuda')) as T, unit.f(x) as T) <= 1e-5, `call ${i}`)))
  }
  t.same([counts[7], counts[15]], [1, 1])
  t.end()
})

t.test('calls on other threads', async (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  for (let i = 0; i < 6; i++) {
    const x = torch.randn([3, 6])
    const y = (await there.forwardAsync(x.to('cuda'))) as T
    const count = served(() => t.ok(distance(y, here.forward(x) as T) <= 1e-5, `call ${i}`))
    t.equal(count, i < 3 ? 0 : 1)
  }
  for (let round = 0; round < 3; round++) {
    const inputs = [0, 1, 2, 3].map(() => torch.randn([3, 6]))
    const results = (await Promise.all(inputs.map((x) => there.forwardAsync(x.to('cuda'))))) as T[]
    results.forEach((y, i) => t.ok(distance(y, here.forward(inputs[i]) as T) <= 1e-5, `round ${round}, call ${i}`))
  }
  t.end()
})

t.test('an index out of range is the error of the read', (t) => {
  const unit = new jit.CompilationUnit(`
def f(table, index):
    y = table[index].softmax(0).relu() + 1
    return y.softmax(0) * 2
`)
  const table = torch.randn([5, 3]).to('cuda')
  const good = torch.tensor([0, 4], { dtype: 'int64' }).to('cuda')
  for (let i = 0; i < 5; i++) (unit.f(table, good) as T).cpu()
  const bad = unit.f(table, torch.tensor([0, 5], { dtype: 'int64' }).to('cuda')) as T
  t.throws(() => bad.cpu(), /index 5 is out of bounds/)
  t.equal(served(() => (unit.f(table, good) as T).cpu()), 1)
  t.end()
})
