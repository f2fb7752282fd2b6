import t, { type Test } from 'tap'
import * as torch from '../../../lib/index.js'

const { nn } = torch

/** Same numbers as the original, up to rounding, for the same arguments. */
function same(t: Test, got: unknown, want: unknown, message = 'same as the original'): void {
  if (want instanceof torch.Tensor) {
    t.ok(got instanceof torch.Tensor && torch.allclose(got, want, { rtol: 1e-4, atol: 1e-5 }), message)
  } else if (Array.isArray(want)) want.forEach((item, i) => same(t, (got as unknown[])[i], item, message))
  else t.same(got, want, message)
}

class Net extends nn.Module {
  conv = new nn.Conv2d(3, 8, 3)
  bn = new nn.BatchNorm2d(8)
  fc = new nn.Linear(8, 4)
  forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(torch.relu(this.bn.forward(this.conv.forward(x))).mean([2, 3]))
  }
}
const image = (): torch.Tensor => torch.randn([2, 3, 8, 8])

t.test('a module in evaluation mode is scripted and frozen', (t) => {
  const model = new Net().eval()
  const compiled = torch.compile(model)
  t.same(compiled.compilations(), [], 'nothing before the first call')
  for (const x of [image(), torch.randn([5, 3, 10, 12])]) same(t, compiled(x), model.forward(x))
  t.same(compiled.compilations(), [{ signature: '', origin: 'script', frozen: true, reason: '' }])
  t.match(compiled.graphFor(image()), /torchscript::convolution_epilogue/)
  t.notMatch(compiled.graphFor(image()), /batch_norm\(/)
  t.equal(compiled.original, model)
  t.equal(compiled.parameters().length, model.parameters().length)
  t.end()
})

t.test('forwardAsync gives what forward gives', async (t) => {
  const model = new Net().eval()
  const compiled = torch.compile(model)
  const x = image()
  same(t, await compiled.forwardAsync(x), model.forward(x))
  const traced = torch.compile((x: torch.Tensor, options: { scale: number }) => ({ y: x.mul(options.scale) }))
  const { y } = await traced.forwardAsync(x, { scale: 3 })
  same(t, y, x.mul(3))
})

t.test('written parameters, other parameters, other submodules and fields compile again', (t) => {
  const model = new Net().eval()
  const compiled = torch.compile(model)
  const x = image()
  const check = (what: string): void => same(t, compiled(x), model.forward(x), what)
  check('at first')
  model.conv.bias!.fill_(3)
  check('after a write in place')
  const other = new Net()
  other.bn.runningVar!.fill_(2)
  model.loadStateDict(other.stateDict())
  check('after loadStateDict')
  model.fc.weight = new nn.Parameter(torch.ones([4, 8]))
  check('after a new parameter')
  model.bn = new nn.BatchNorm2d(8, { eps: 1 }).eval()
  check('after a new submodule')
  Object.assign(model.bn, { eps: 10 })
  check('after a new number')
  model.to('float64')
  const wide = x.to('float64')
  same(t, compiled(wide), model.forward(wide), 'after another dtype')
  t.equal((compiled(wide) as torch.Tensor).dtype, 'float64')
  t.end()
})

t.test('a module in training mode is not frozen and shares its statistics', (t) => {
  const [model, twin] = [new Net(), new Net()]
  twin.loadStateDict(model.stateDict())
  const compiled = torch.compile(model)
  for (let step = 0; step < 3; step++) {
    const x = image()
    same(t, compiled(x), twin.forward(x))
  }
  t.match(compiled.compilations(), [{ origin: 'script', frozen: false, reason: 'not frozen: the module is in training mode' }])
  same(t, model.bn.runningMean, twin.bn.runningMean, 'running means')
  t.equal(model.bn.numBatchesTracked!.item(), 3)
  compiled.eval()
  twin.eval()
  const x = image()
  same(t, compiled(x), twin.forward(x))
  t.match(compiled.compilations(), [{ frozen: true }])
  compiled.train()
  t.ok(model.training)
  t.end()
})

t.test('a traced module in training mode counts a batch once', (t) => {
  class Sliced extends nn.Module {
    bn = new nn.BatchNorm1d(4)
    forward(x: torch.Tensor): Map<string, torch.Tensor> {
      return new Map([['y', this.bn.forward(x)]])
    }
  }
  const [model, twin] = [new Sliced(), new Sliced()]
  const compiled = torch.compile(model)
  for (let step = 0; step < 3; step++) {
    const x = torch.randn([5, 4])
    same(t, compiled(x).get('y'), twin.forward(x).get('y'))
  }
  t.match(compiled.compilations(), [{ origin: 'trace', frozen: false }])
  t.equal(model.bn.numBatchesTracked!.item(), 3)
  same(t, model.bn.runningVar, twin.bn.runningVar)
  t.end()
})

t.test('functions keep the form of their arguments and results', (t) => {
  const compiled = torch.compile((parts: { a: torch.Tensor; list: torch.Tensor[] }, n: number, name: string | null) => {
    const sum = parts.list.reduce((left, right) => left.add(right), parts.a.mul(n))
    return { sum, names: [name, n], same: parts.a, pair: [sum.neg(), new Map([['again', sum]])] as const }
  })
  const [a, b] = [torch.randn([3]), torch.randn([3])]
  const { sum, names, same: back, pair } = compiled({ a, list: [b, b] }, 2, 'x')
  same(t, sum, a.mul(2).add(b).add(b))
  t.same(names, ['x', 2])
  t.equal(back, a, 'what is passed through is the very tensor')
  same(t, pair[0], sum.neg())
  same(t, pair[1].get('again'), sum)
  same(t, compiled({ a, list: [] }, 3, null).sum, a.mul(3), 'another structure')
  t.equal(compiled.compilations().length, 2)
  t.end()
})

t.test('signatures: numbers by value, tensors by dtype and rank, by size where the function computes with sizes', (t) => {
  const open = torch.compile((x: torch.Tensor, n: number) => ({ y: x.add(n) }))
  for (const size of [2, 3, 4]) same(t, open(torch.ones([size]), 1).y, torch.ones([size]).add(1))
  t.same(
    open.compilations().map((c) => c.signature),
    ['float32[*], 1'],
  )
  void open(torch.ones([2]), 2)
  void open(torch.ones([2, 2]), 2)
  void open(torch.ones([2, 2], { dtype: 'float64' }), 2)
  t.same(
    open.compilations().map((c) => c.signature),
    ['float32[*], 1', 'float32[*], 2', 'float32[*, *], 2', 'float64[*, *], 2'],
  )
  const sized = torch.compile((x: torch.Tensor) => ({ y: x.shape[0] > 2 ? x.neg() : x.mul(2) }))
  for (const size of [2, 3, 2, 3]) same(t, sized(torch.ones([size])).y, size > 2 ? torch.ones([size]).neg() : torch.ones([size]).mul(2))
  t.same(
    sized.compilations().map((c) => c.signature),
    ['float32[2]', 'float32[3]'],
  )
  const fixed = torch.compile((x: torch.Tensor) => ({ y: x.neg() }), { dynamic: false })
  for (const size of [2, 3, 2]) same(t, fixed(torch.ones([size])).y, torch.ones([size]).neg())
  t.same(
    fixed.compilations().map((c) => c.signature),
    ['float32[3]', 'float32[2]'],
    'the one used last comes last',
  )
  t.end()
})

t.test('tensors that a traced function reads are packed', (t) => {
  const weight = torch.randn([256, 256]).div_(16)
  const compiled = torch.compile((x: torch.Tensor) => ({ y: torch.linear(x, weight) }))
  const x = torch.randn([64, 256])
  const { packedBytes } = torch.memoryStats()
  same(t, compiled(x).y, torch.linear(x, weight))
  t.ok(torch.memoryStats().packedBytes >= packedBytes + 4 * 256 * 256)
  weight.fill_(1)
  same(t, compiled(x).y, torch.linear(x, weight), 'after a write')
  t.end()
})

t.test('the least recently used compilation goes first', (t) => {
  const compiled = torch.compile((x: torch.Tensor, n: number) => ({ y: x.mul(n) }), { cacheSizeLimit: 2 })
  const x = torch.ones([2])
  for (const n of [1, 2, 1, 3]) same(t, compiled(x, n).y, x.mul(n))
  t.same(
    compiled.compilations().map((c) => c.signature),
    ['float32[*], 1', 'float32[*], 3'],
  )
  compiled.reset()
  t.same(compiled.compilations(), [])
  for (let n = 0; n < 20; n++) same(t, compiled(x, n).y, x.mul(n))
  t.match(compiled.compilations().at(-1), { origin: 'eager', reason: /hardly ever have the same signature/ })
  t.end()
})

t.test('what depends on elements in JavaScript runs as it is', (t) => {
  const sources = {
    branch: (x: torch.Tensor, table: Map<string, number>) => (x.sum().item() > 0 ? x.mul(table.get('n')!) : { negative: x }),
  }
  const compiled = torch.compile(sources.branch)
  const x = torch.ones([2])
  same(t, compiled(x, new Map([['n', 2]])), x.mul(2))
  t.same(compiled(x.neg(), new Map([['n', 2]])), { negative: x.neg() })
  t.match(compiled.compilations(), [{ origin: 'eager', reason: /not traced: JavaScript reads elements of a tensor/ }])
  t.throws(() => torch.compile(sources.branch, { fullgraph: true })(x, new Map([['n', 2]])), {
    message: /^The function cannot be compiled as a whole: /,
  })
  t.end()
})

t.test('errors of the function are its own, and are not remembered', (t) => {
  const compiled = torch.compile((x: torch.Tensor, flag: { fail: boolean }) => {
    if (flag.fail) throw new RangeError('as asked')
    return { y: x.neg() }
  })
  t.throws(() => compiled(torch.ones([2]), { fail: true }), new RangeError('as asked'))
  t.same(compiled.compilations(), [])
  same(t, compiled(torch.ones([2]), { fail: false }).y, torch.ones([2]).neg())
  t.end()
})

t.test('a module that writes its fields runs as it is', (t) => {
  class Counting extends nn.Module {
    calls = 0
    forward(x: torch.Tensor): torch.Tensor {
      this.calls += 1
      return x.add(this.calls)
    }
  }
  const model = new Counting().eval()
  const compiled = torch.compile(model)
  const zero = torch.zeros([1])
  const results = [compiled(zero), compiled(zero), compiled(zero)].map((y) => (y as torch.Tensor).item())
  t.same(results, [1, 2, 3])
  t.match(compiled.compilations(), [{ origin: 'eager', reason: /not traced: it writes fields of a module/ }])
  t.end()
})

t.test('hooks run', (t) => {
  const model = new Net().eval()
  const compiled = torch.compile(model)
  const x = image()
  const plain = compiled(x) as torch.Tensor
  const hook = model.fc.registerForwardHook((_, __, output) => (output as torch.Tensor).add(1))
  same(t, compiled(x), plain.add(1))
  t.match(compiled.compilations(), [{ origin: 'trace', frozen: true }])
  hook.remove()
  same(t, compiled(x), plain)
  t.end()
})

t.test('a source that means something else is not taken', (t) => {
  // Not the variable that the function sees.
  const n = 3
  t.equal(n, 3)
  const makeScale = (n: number): ((x: torch.Tensor) => torch.Tensor) => {
    const scale = (x: torch.Tensor): torch.Tensor => x.mul(n)
    return scale
  }
  const compiled = torch.compile(makeScale(2))
  same(t, compiled(torch.ones([3])), torch.ones([3]).mul(2))
  t.match(compiled.compilations(), [{ origin: 'trace' }])
  t.end()
})

t.test('modules and functions of TorchScript', (t) => {
  const model = new Net().eval()
  const scripted = torch.jit.script(model)
  const compiled = torch.compile(scripted)
  const x = image()
  same(t, compiled(x), model.forward(x))
  t.same(compiled.compilations(), [{ signature: '', origin: 'module', frozen: true, reason: '' }])
  model.fc.bias!.fill_(7)
  same(t, compiled(x), model.forward(x), 'after a write')
  scripted.train()
  void compiled(x)
  t.match(compiled.compilations(), [{ frozen: false, reason: 'not frozen: the module is in training mode' }])
  scripted.eval()
  same(t, compiled(x), scripted.forward(x))
  t.match(compiled.compilations(), [{ frozen: true }])
  const fn = torch.compile(torch.jit.trace((x: torch.Tensor) => x.mul(2).relu(), [x]))
  same(t, fn(x), x.mul(2).relu())
  t.match(fn.compilations(), [{ origin: 'module', frozen: true }])
  t.end()
})

t.test('a module whose forward writes attributes keeps them', (t) => {
  const unit = new torch.jit.CompilationUnit('def f(x: Tensor):\n  return x')
  t.ok(unit)
  const model = new nn.Identity()
  model.define('def twice(self, x: Tensor) -> Tensor:\n  return x * 2')
  const compiled = torch.compile(torch.jit.script(model).eval())
  const x = image()
  same(t, compiled(x), x)
  t.end()
})

t.test('weights of 16 bits', (t) => {
  class Wide extends nn.Module {
    fc = new nn.Linear(128, 512)
    forward(x: torch.Tensor): torch.Tensor {
      return torch.relu(this.fc.forward(x))
    }
  }
  const model = new Wide().eval()
  const x = torch.randn([2, 128])
  for (const weights of ['float16', 'bfloat16'] as const) {
    const compiled = torch.compile(model, { weights })
    t.ok(torch.allclose(compiled(x), model.forward(x), { rtol: 0.05, atol: 0.02 }), weights)
    t.match(compiled.graphFor(x), 'torchscript::linear_compressed')
    t.ok(compiled.explain(x).nodes.some((node) => node.kind === 'torchscript::linear_compressed' && node.kernels.length === 1))
  }
  t.end()
})

t.test('the eager backend runs the function', (t) => {
  let calls = 0
  const compiled = torch.compile(
    (x: torch.Tensor) => {
      calls++
      return x.neg()
    },
    { backend: 'eager' },
  )
  for (let i = 0; i < 3; i++) same(t, compiled(torch.ones([2])), torch.ones([2]).neg())
  t.equal(calls, 3)
  t.same(compiled.compilations(), [])
  t.equal(compiled.graphFor(torch.ones([2])), '')
  t.end()
})

t.test('a trace takes a compiled function apart', (t) => {
  const compiled = torch.compile((x: torch.Tensor) => ({ y: x.mul(2) }))
  const traced = torch.jit.trace((x: torch.Tensor) => compiled(x).y.relu(), [torch.randn([3])])
  t.match(traced.graph, /aten::mul[^]*aten::relu/)
  t.end()
})

t.test('wrong arguments', (t) => {
  const identity = (x: torch.Tensor): torch.Tensor => x
  t.throws(() => torch.compile(3 as never), {
    code: 'ERR_ARGUMENT',
    message: 'Expected a function, an nn.Module or a TorchScript module for `target` but received 3',
  })
  t.throws(() => torch.compile(identity, { mode: 'fast' as never }), {
    message: "Expected 'default' or 'reduce-overhead' or 'max-autotune' for `mode` but received 'fast'",
  })
  t.throws(() => torch.compile(identity, { backend: 'inductor' as never }), {
    message: "Expected 'native' or 'eager' for `backend` but received 'inductor'",
  })
  t.throws(() => torch.compile(identity, { dynamic: 1 as never }), { message: 'Expected a boolean for `dynamic` but received 1' })
  t.throws(() => torch.compile(identity, { cacheSizeLimit: 0 }), {
    message: 'Expected a positive integer for `cacheSizeLimit` but received 0',
  })
  t.throws(() => torch.compile(identity, { weights: 'int8' as never }), {
    message: "Expected 'float16' or 'bfloat16' for `weights` but received 'int8'",
  })
  t.throws(() => torch.compile(identity, { modes: 'default' } as never), {
    message: /^Expected one of backend, mode, .* as an option but received 'modes'$/,
  })
  t.end()
})

t.test('a call is taken for the last one only where it is like it', (t) => {
  const f = (a: torch.Tensor, options: { scale: unknown; list: unknown[] }): torch.Tensor => {
    // Not TorchScript: it is traced.
    const found = new Map([['scale', options.scale]]).get('scale')
    const scaled = typeof found === 'string' ? a : torch.mul(a, found as number)
    return options.list.length > 1 ? torch.neg(scaled) : scaled
  }
  const compiled = torch.compile(f)
  const [small, large, whole] = [torch.arange(3), torch.arange(6), torch.ones([2, 3], { dtype: 'int64' })].map((x, i) =>
    i < 2 ? x.to('float32') : x,
  )
  const scales = [2, 2, 3, 2, 0, -0, 0, '2', 2, NaN, NaN]
  for (const input of [small, small, large, whole, small]) {
    for (const scale of scales) {
      for (const list of [[1], [1], [1, 2]]) {
        const [got, want] = [compiled(input, { scale, list }), f(input, { scale, list })]
        t.ok(
          torch.equal(torch.isnan(got), torch.isnan(want)) && Object.is(got.sum().item(), want.sum().item()),
          `${String(scale)} ${list.length}`,
        )
        t.equal(got.dtype, want.dtype)
      }
    }
  }
  t.end()
})
