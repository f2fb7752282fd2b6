// All recorded signatures of a device share one arena, and graphs have their inputs, results and scratch there too.
import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

process.env.TORCHSCRIPT_CUDA_ALLOCATOR = ''
const { nn, jit } = torch
type T = torch.Tensor
torch.manualSeed(5)

class Net extends nn.Module {
  up = new nn.Linear(16, 256)
  norm = new nn.LayerNorm([256])
  down = new nn.Linear(256, 4)
  override forward(x: T): T {
    return torch.softmax(this.down.forward(torch.softmax(this.norm.forward(this.up.forward(x)), 1)), 1)
  }
}
const net = new Net().eval()
const frozen = (): torch.jit.ScriptModule => jit.freeze(jit.trace(net, [torch.randn([3, 16])]))
const arena = (): number => torch.cuda.memoryStats().arenaBytes
const round = (bytes: number): number => Math.ceil(bytes / 4096) * 4096

t.test('signatures and modules cost what the largest costs', (t) => {
  const here = frozen()
  const [first, second] = [frozen().to('cuda'), frozen().to('cuda')]
  t.equal(arena(), 0)
  const check = (there: torch.jit.ScriptModule, rows: number): void => {
    const x = torch.randn([rows, 16])
    const given = x.to('cuda')
    const y = there.forward(given) as T
    // The result itself is not read, which would have another graph made that copies it to the CPU.
    t.ok(y.sub((here.forward(x) as T).to('cuda')).abs().max().item() <= 1e-5, `${rows} rows`)
    given.dispose()
    y.dispose()
  }
  for (let i = 0; i < 3; i++) check(first, 200)
  const one = arena()
  const [report] = first.explain()
  t.equal(report.graphs, 1)
  t.ok(one >= report.deviceArenaBytes + report.graphBytes, 'intermediates, and what graphs own')
  t.ok(one <= round(report.deviceArenaBytes + report.graphBytes + 4096))
  for (const rows of [7, 100, 150, 199]) for (let i = 0; i < 3; i++) check(first, rows)
  for (const rows of [7, 100, 200]) for (let i = 0; i < 3; i++) check(second, rows)
  t.equal(arena(), one, 'smaller signatures and another module cost nothing')
  // It grows where it is: graphs that are there go on.
  for (let i = 0; i < 3; i++) check(second, 300)
  const larger = arena()
  t.ok(larger > one && larger < 1.6 * one)
  const { captured } = torch.cuda.graphStats()
  for (const rows of [200, 7, 150, 300, 100]) for (const there of [first, second]) if (there === second || rows !== 300) if (there === first || rows !== 150) check(there, rows)
  t.equal(torch.cuda.graphStats().captured, captured)
  // Back to what the others want, and to nothing.
  second.dispose()
  t.equal(arena(), one)
  check(first, 200)
  first.dispose()
  t.equal(arena(), 0)
  t.end()
})

t.test('results are their own: kept ones, arguments that are written, several', (t) => {
  const there = frozen().to('cuda')
  const here = frozen()
  const kept = torch.compile(frozen().to('cuda'), { mode: 'reduce-overhead' })
  const unit = new jit.CompilationUnit(`
def f(x, y):
    x.mul_(2)
    z = (x + y).relu().softmax(1).softmax(0)
    return z, x, z[1], z.sum(0), torch.ones([2]) + 1
`)
  const x = torch.randn([5, 16])
  const expected = here.forward(x) as T
  for (let i = 0; i < 4; i++) {
    const y = kept(x.to('cuda')) as T
    const [a, b] = [torch.randn([4, 6]), torch.randn([4, 6])]
    const [c, d] = [a.clone().to('cuda'), b.to('cuda')]
    const wanted = unit.f(a, b) as T[]
    const made = unit.f(c, d) as T[]
    const z = there.forward(x.to('cuda')) as T
    t.ok(distance(y, expected) <= 1e-5, `kept, round ${i}`)
    t.ok(distance(z, expected) <= 1e-5)
    t.ok(distance(c, a) <= 1e-6, 'written')
    made.forEach((m, k) => t.ok(distance(m, wanted[k]) <= 1e-5, `result ${k}`))
    // A kept result as an argument.
    t.ok(distance(torch.cat([y, y], 1), torch.cat([expected, expected], 1)) <= 1e-5)
  }
  t.end()
})

t.test('calls on several threads', async (t) => {
  const here = frozen()
  const [first, second] = [frozen().to('cuda'), frozen().to('cuda')]
  const unit = new jit.CompilationUnit(`
def f(x):
    y = x.softmax(1).softmax(0).softmax(1) * 2
    if bool(x.sum() > 0):
        return y.softmax(0).softmax(1).softmax(0) + 1
    return y.softmax(1).softmax(0).softmax(1).softmax(0) - 1
`)
  for (let round = 0; round < 4; round++) {
    const inputs = Array.from({ length: 8 }, (_, i) => torch.randn([i % 3 === 0 ? 40 : 64, 16]))
    const moved = inputs.map((x) => x.to('cuda'))
    const calls = moved.map((x, i) => (i % 2 === 0 ? first : second).forwardAsync(i % 4 === 3 ? inputs[i] : x))
    const own = moved.map((x) => unit.f(x) as T)
    const results = (await Promise.all(calls)) as T[]
    results.forEach((result, i) => t.ok(distance(result, here.forward(inputs[i]) as T) <= 1e-5, `round ${round}, call ${i}`))
    own.forEach((result, i) => t.ok(distance(result, unit.f(inputs[i]) as T) <= 1e-5, `round ${round}, branch ${i}`))
  }
  t.end()
})
