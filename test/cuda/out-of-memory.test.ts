// A device of 2 MiB.
process.env.TORCHSCRIPT_EMULATED_MEMORY = String(2 << 20)
await import('./emulated-only.js')
const { default: t } = await import('tap')
const torch = await import('../../lib/index.js')
const { distance } = await import('./compare.js')
const { nn, jit } = torch
type T = import('../../lib/index.js').Tensor

t.test('the error has the sizes, and the process goes on', (t) => {
  t.equal(torch.cuda.getDeviceProperties().totalMemory, 2 << 20)
  const kept = torch.zeros([100, 1024], { device: 'cuda' })
  t.throws(() => torch.zeros([500, 1024], { device: 'cuda' }), {
    message: /CUDA out of memory. Tried to allocate 1.95 MiB. GPU 0 has a total capacity of 2.00 MiB of which 1.6\d MiB is free; 400.00 KiB is in use by tensors/,
    pythonType: 'OutOfMemoryError',
  })
  t.same(kept.add(1).sum().item(), 102400)
  kept.dispose()
  const fits = torch.zeros([400, 1024], { device: 'cuda' })
  t.equal(fits.device, 'cuda:0')
  fits.dispose()
  t.end()
})

class Wide extends nn.Module {
  up = new nn.Linear(8, 64)
  down = new nn.Linear(64, 4)
  override forward(x: T): T {
    let y = torch.tanh(this.up.forward(x))
    y = torch.sigmoid(y.add(1))
    return torch.softmax(this.down.forward(y), 1)
  }
}
const module = jit.trace(new Wide().eval(), [torch.randn([2, 8])])
const frozen = (): import('../../lib/index.js').jit.ScriptModule => jit.freeze(module)

t.test('a graph that does not fit runs step by step', (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  const x = torch.randn([1200, 8])
  const expected = here.forward(x) as T
  // What is left is enough for a run, not for a second copy of the argument and of the result.
  const given = x.to('cuda')
  const first = there.forward(given) as T
  t.ok(distance(first, expected) <= 1e-5)
  first.dispose()
  const { deviceArenaBytes, outputBytes } = there.explain()[0]
  const { liveBytes } = torch.cuda.memoryStats()
  const rest = torch.zeros([Math.floor(((2 << 20) - liveBytes - deviceArenaBytes - outputBytes) / 4) - 2000], { device: 'cuda' })
  for (let i = 0; i < 3; i++) {
    const y = there.forward(given) as T
    t.ok(distance(y, expected) <= 1e-5, `call ${i}`)
    y.dispose()
  }
  const [report] = there.explain()
  t.same([report.state, report.graphs], ['recorded', 0])
  t.match(report.graphReason, /CUDA out of memory. Tried to allocate/)
  rest.dispose()
  given.dispose()
  there.dispose()
  t.end()
})

t.test('memory of graphs that nobody runs is given back where others want it', (t) => {
  const there = frozen().to('cuda')
  for (let i = 0; i < 3; i++) (there.forward(torch.randn([900, 8])) as T).dispose()
  t.equal(there.explain()[0].graphs, 1)
  const { alive } = torch.cuda.graphStats()
  // Another signature takes the place of the first one.
  for (let i = 0; i < 3; i++) (there.forward(torch.randn([1600, 8])) as T).dispose()
  t.same(there.explain().map(({ graphs }) => graphs), [1, 1])
  t.ok(torch.cuda.graphStats().alive <= alive + 1)
  t.ok(torch.cuda.memoryAllocated() < 2 << 20)
  t.end()
})
