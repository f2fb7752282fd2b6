import { onlyEmulated } from './emulated.js'
import t, { type Test } from 'tap'
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
  t.match(torch.explain(there, [inputs[0].to('cuda')]).toString(), new RegExp(`on cuda:0, .* device arena .*, 1 CUDA graph of ${nodes} nodes`))
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

/** Calls a function a few times with the same arguments on the CPU and on the device; what the last call adds to the counters. */
function compare(t: Test, call: (...args: T[]) => T, args: readonly T[]): ReturnType<typeof counted> {
  let last = { captured: 0, launches: 0, nodes: 0 }
  for (let i = 0; i < 4; i++) {
    const here = args.map((x) => x.clone())
    const there = args.map((x) => x.to('cuda'))
    const expected = call(...here)
    let received: T
    last = counted(() => (received = call(...there)))
    t.ok(distance(received!, expected) <= 1e-5, `call ${i}`)
    here.forEach((x, k) => t.ok(distance(there[k], x) <= 1e-5, `call ${i}, argument ${k}`))
  }
  return last
}

t.test('steps that no graph can have run between graphs', (t) => {
  // Random numbers come from the CPU, or differ between launches.
  torch.cuda.setFallback('cpu')
  t.teardown(() => torch.cuda.setFallback('error'))
  const unit = new jit.CompilationUnit(`
def f(x):
    y = x.softmax(1).softmax(0).softmax(1).softmax(0)
    z = y + torch.rand_like(y) * 0
    return z.softmax(1).softmax(0).softmax(1).sum(1)
`)
  const counts = compare(t, (x) => unit.f(x) as T, [torch.randn([3, 4])])
  t.equal(counts.launches, 2)
  t.end()
})

t.test('branches on data: graphs up to the number that decides, and after it', (t) => {
  const unit = new jit.CompilationUnit(`
def f(x):
    y = x.softmax(1).softmax(0).softmax(1) * 2
    if bool(x.sum() > 0):
        z = y.softmax(0).softmax(1).softmax(0) + 1
    else:
        z = y.softmax(1).softmax(0).softmax(1).softmax(0) - 1
    for i in range(int(x[0, 0].item())):
        z = z.softmax(1).softmax(0).softmax(1) * 3
    return z.softmax(1)
`)
  const input = (sign: number, rounds: number): T => torch.tensor([[rounds + 0.25, sign * 20, 1], [1, 2, 3]])
  const seen: string[] = []
  for (let round = 0; round < 3; round++)
    for (const [sign, rounds] of [
      [1, 0],
      [-1, 0],
      [1, 2],
    ] as const) {
      const x = input(sign, rounds)
      let y: T
      const { captured, launches } = counted(() => (y = unit.f(x.to('cuda')) as T))
      t.ok(distance(y!, unit.f(x) as T) <= 1e-5, `round ${round}, ${sign}, ${rounds}`)
      seen.push(`${captured} ${launches}`)
    }
  // The third of the paths that are there is found after others were tried up to where they differ.
  t.ok(seen.slice(6).every((text) => text.startsWith('0 ') && Number(text.slice(2)) >= 2), seen.join(', '))
  // One number again and again: no detour.
  for (let i = 0; i < 2; i++) unit.f(input(1, 2).to('cuda'))
  t.same(counted(() => unit.f(input(1, 2).to('cuda'))), { ...counted(() => unit.f(input(1, 2).to('cuda'))), captured: 0, launches: 3 })
  // Numbers that never come again are not worth it.
  const scale = new jit.CompilationUnit(`
def f(x):
    return (x * x.sum().item()).softmax(1).softmax(0).softmax(1)
`)
  for (let i = 0; i < 12; i++) {
    const x = torch.randn([2, 3])
    t.ok(distance(scale.f(x.to('cuda')) as T, scale.f(x) as T) <= 1e-5, `scale ${i}`)
  }
  // What was written before a number is looked at cannot be undone: no schedule.
  const writes = new jit.CompilationUnit(`
def f(x):
    x.add_(1)
    if bool(x.sum() > 0):
        return x.softmax(1).softmax(0).softmax(1)
    return x.softmax(0).softmax(0).softmax(1)
`)
  for (const sign of [1, -1, 1, -1, 1]) {
    const x = torch.full([2, 3], sign * 3.5)
    const there = x.to('cuda')
    t.ok(distance(writes.f(there) as T, writes.f(x) as T) <= 1e-5)
    t.same(there.toArray(), x.toArray(), 'written once')
  }
  t.end()
})

t.test('a kernel that refuses to be captured is left out, and said', onlyEmulated, (t) => {
  process.env.TORCHSCRIPT_EMULATED_NO_CAPTURE = 'softmax'
  t.teardown(() => delete process.env.TORCHSCRIPT_EMULATED_NO_CAPTURE)
  const here = frozen()
  const there = frozen().to('cuda')
  const x = torch.randn([3, 6])
  for (let i = 0; i < 3; i++) t.ok(distance(there.forward(x.to('cuda')) as T, here.forward(x) as T) <= 1e-5, `call ${i}`)
  const [report] = there.explain()
  t.equal(report.graphs, 1)
  t.match(report.graphReason, /^aten::softmax.int: CUDA error: CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED .* in cuLaunchKernel of softmax/)
  t.match(torch.explain(there, [x.to('cuda')]).toString(), /1 CUDA graph of \d+ nodes \(step by step: aten::softmax/)
  t.end()
})

t.test('graphs of many signatures are limited, and their memory comes back', (t) => {
  const there = frozen().to('cuda')
  const run = (rows: number): void => {
    for (let i = 0; i < 3; i++) {
      const x = torch.randn([rows, 6]).to('cuda')
      const y = there.forward(x) as T
      x.dispose()
      y.dispose()
    }
  }
  const { alive } = torch.cuda.graphStats()
  run(8)
  const one = torch.cuda.memoryAllocated()
  for (let rows = 9; rows < 40; rows++) run(rows)
  t.equal(there.explain().length, 16)
  // Those that are there, and the one that ran last before it was dropped.
  t.equal(torch.cuda.graphStats().alive - alive, 16)
  const perGraph = 40 * (6 + 16 * 3 + 4 * 2) * 4 + 4096
  t.ok(torch.cuda.memoryAllocated() <= one + 16 * perGraph)
  const before = torch.cuda.memoryAllocated()
  there.dispose()
  t.ok(torch.cuda.memoryAllocated() < before)
  t.equal(torch.cuda.graphStats().alive, alive)
  t.end()
})

t.test('memory is one arena: the peak of a call is what its plan says', (t) => {
  class Chain extends nn.Module {
    first = new nn.Linear(32, 256)
    second = new nn.Linear(256, 256)
    third = new nn.Linear(256, 2)
    override forward(x: T): T {
      let y = torch.softmax(this.first.forward(x), 1)
      y = torch.softmax(this.second.forward(y), 1)
      y = torch.softmax(this.second.forward(y), 1)
      return this.third.forward(y)
    }
  }
  const there = jit.freeze(jit.trace(new Chain().eval(), [torch.randn([1, 32])])).to('cuda')
  const x = torch.randn([64, 32]).to('cuda')
  const discard = (): void => (there.forward(x) as T).dispose()
  discard()
  const before = torch.cuda.memoryAllocated()
  discard()
  discard()
  const [report] = there.explain()
  const held = torch.cuda.memoryAllocated() - before
  t.equal(held, report.deviceArenaBytes + report.graphBytes, 'the arena, the copies of argument and result, and what kernels asked for')
  torch.cuda.resetPeakMemoryStats()
  discard()
  t.equal(torch.cuda.memoryStats().peakBytes - before, held + report.outputBytes, 'a call adds its result')
  // Two activations live at a time, of six.
  const activation = 64 * 256 * 4
  t.ok(report.deviceArenaBytes < 3 * activation, `${report.deviceArenaBytes} bytes`)
  t.end()
})

t.test('modules on the second device', onlyEmulated, (t) => {
  const here = frozen()
  const [first, second] = [frozen().to('cuda:0'), frozen().to('cuda:1')]
  for (let i = 0; i < 3; i++) {
    const x = torch.randn([3, 6])
    const expected = here.forward(x) as T
    const counts = counted(() => {
      const y = second.forward(x.to('cuda:1')) as T
      t.equal(y.device, 'cuda:1')
      t.ok(distance(y, expected) <= 1e-5)
      // What one device made, the other goes on with.
      const z = first.forward(torch.cat([x.to('cuda:0'), y.to('cuda:0')], 1).slice(1, 0, 6)) as T
      t.equal(z.device, 'cuda:0')
      t.ok(distance(z, expected) <= 1e-5)
    })
    t.equal(counts.launches, i === 0 ? 0 : 2)
  }
  t.throws(() => second.forward(torch.randn([3, 6]).to('cuda:0')), /at least two devices, cuda:0 and cuda:1!/)
  t.ok(torch.cuda.memoryAllocated(1) > 0)
  first.to('cuda:1')
  const x = torch.randn([3, 6])
  for (let i = 0; i < 3; i++) t.ok(distance(first.forward(x.to('cuda:1')) as T, here.forward(x) as T) <= 1e-5, 'moved')
  t.equal((first.forward(x.to('cuda:1')) as T).device, 'cuda:1')
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
  for (const k of [0, 1, 2, 3, 4]) {
    const counts = compare(t, (x, y) => (unit.f(x, y) as T[])[k], [torch.randn([3, 4]), torch.randn([3, 4])])
    t.equal(counts.launches, 1)
  }
  t.end()
})
