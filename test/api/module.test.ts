import t from 'tap'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import * as torch from '../../lib/index.js'

const path = 'test/fixtures/api/everything.pt'
const everything = (): torch.jit.ScriptModule => torch.jit.load(path)
const x = (): torch.Tensor => torch.tensor([1, 1, 1])
const array = (value: unknown): unknown => (value as torch.Tensor).toArray()
const names = (entries: [string, unknown][]): string[] => entries.map(([name]) => name).sort()

t.test('forward with defaults, positional and keyword arguments', (t) => {
  const m = everything()
  t.same(array(m.forward(x())), [2, 4, 6])
  t.same(array(m.forward(x(), 2)), [4, 16, 36])
  t.same(array(m.forward(x(), torch.kwargs({ bias: torch.tensor([10, 10, 10]) }))), [12, 14, 16])
  t.same(array(m.forward(torch.kwargs({ x: x(), times: 0 }))), [1, 1, 1])
  t.equal(m.calls, 4, 'attributes that a program writes are kept')
  t.end()
})

t.test('values of every type go in and come out', (t) => {
  const m = everything()
  const tensor = x()
  const result = m.kinds(1, 3, true, 'é', [1, 2], new Map([['k', tensor]]), [5, 'five']) as unknown[]
  t.same(result.slice(0, 5), [2, 1.5, false, 'é!', [1, 2, 7]])
  t.same(array((result[5] as Map<string, torch.Tensor>).get('k')), [1, 1, 1])
  t.same(result[6], [5, 'five'])
  const plain = m.kinds(1, 3, true, '', [], { k: tensor }, [5, 'five']) as unknown[]
  t.same([...(plain[5] as Map<string, torch.Tensor>).keys()], ['k'], 'a plain object is a dict')
  const point = m.point(3) as { x: number; y: torch.Tensor }
  t.equal(point.x, 3)
  t.same(point.y.toArray(), [3])
  t.equal(m.big(2n ** 53n), 2n ** 53n + 1n)
  t.equal(m.big(41), 42)
  t.same(m.complex_sum(torch.complex(1, 2)), { re: 2, im: 2 })
  t.end()
})

t.test('wrong arguments are refused by name', (t) => {
  const m = everything()
  const message = (call: () => unknown): string => {
    try {
      call()
    } catch (error) {
      t.ok(error instanceof torch.ArgumentError)
      return (error as Error).message
    }
    return 'nothing thrown'
  }
  t.match(
    message(() => m.forward()),
    /missing value for argument 'x'/,
  )
  t.match(
    message(() => m.forward(1)),
    /Expected a value of type 'Tensor' for `x`/,
  )
  t.match(
    message(() => m.forward(x(), 1.5)),
    /Expected a value of type 'int' for `times`/,
  )
  t.match(
    message(() => m.forward(x(), torch.kwargs({ nope: 1 }))),
    /nope/,
  )
  const known = m
    .signaturesOfMethods()
    .map((s: string) => s.split('(')[0])
    .join(', ')
  t.equal(
    message(() => m.run('nope')),
    `Expected a method of __torch__.Everything for \`name\` but received 'nope'; it has ${known}`,
  )
  t.same(array(m.forward(x())), [2, 4, 6], 'the module works afterwards')
  t.end()
})

t.test('errors of programs carry the TorchScript stack', (t) => {
  try {
    everything().fail('now')
    t.fail('nothing thrown')
  } catch (error) {
    t.ok(error instanceof torch.ScriptRuntimeError)
    const e = error as torch.ScriptRuntimeError & { scriptMessage: string }
    t.equal(e.scriptMessage, 'failed: now')
    t.match(e.pythonType, /ValueError/)
    t.match(e.message, /Traceback of TorchScript[\s\S]*in fail[\s\S]*<--- HERE[\s\S]*ValueError: failed: now/)
  }
  t.end()
})

t.test('attributes are read and written', (t) => {
  const m = everything()
  t.same([m.calls, m.names, [...m.table], m.maybe, m.limit, m.training], [0, ['a', 'b'], [['one', 1]], null, 7, true])
  m.calls = 10
  m.maybe = 3
  m.names = ['z']
  t.same([m.calls, m.maybe, m.names], [10, 3, ['z']])
  t.throws(() => (m.calls = 'x'), { code: 'ERR_ARGUMENT' })
  t.throws(() => (m.limit = 8), {
    message: 'Expected an attribute of __torch__.Everything for `name` but received a constant of the class, which cannot be set',
  })
  t.throws(() => (m.nope = 8), { message: "Expected an attribute of __torch__.Everything for `name` but received 'nope'" })
  m.inner.weight = torch.tensor([1, 0, 0])
  t.same(array(m.forward(x())), [2, 0, 0])
  m.inner.scale = 5
  t.same(array(m.forward(x())), [5, 0, 0])
  t.equal(m.nope, undefined)
  t.ok('inner' in m && !('nope' in m))
  t.end()
})

t.test('parameters, buffers, modules, state', (t) => {
  const m = everything()
  t.same(names(m.namedParameters()), ['tied'])
  t.same(names(m.namedBuffers()), ['inner.count'])
  t.same(names(m.namedModules()), ['', 'inner'])
  t.same([...m.stateDict().keys()].sort(), ['inner.count', 'inner.weight', 'tied'])
  t.equal(m.inner.originalName, 'Inner')
  t.same(array(m.inner.forward(x())), [2, 4, 6])
  const weight = m.stateDict().get('inner.weight')!
  ;(weight.data as Float32Array)[0] = 100
  t.same(array(m.inner.forward(x())), [200, 4, 6], 'the state shares the memory of the module')
  t.same(array(m.tied), [100, 2, 3], 'tied parameters stay tied')
  t.equal(inspect(m), 'Everything(\n  (inner): Inner()\n)')
  t.end()
})

t.test('train and eval reach all submodules', (t) => {
  const m = everything()
  t.equal(m.mode(), true)
  t.equal(m.eval().mode(), false)
  t.equal(m.inner.training, false)
  t.equal(m.train().inner.training, true)
  const frozen = torch.jit.load('test/fixtures/api/frozen.pt')
  t.equal(frozen.eval(), frozen)
  t.end()
})

t.test('extra files', (t) => {
  const extraFiles: Record<string, unknown> = { 'labels.txt': '', 'raw.bin': null, 'missing.txt': 'kept' }
  torch.jit.load(path, { extraFiles })
  t.same(extraFiles, { 'labels.txt': 'cat\ndog', 'raw.bin': Buffer.from([0, 255]), 'missing.txt': 'kept' })
  t.end()
})

t.test('from bytes, URLs and descriptors', (t) => {
  const fd = openSync(path, 'r')
  for (const source of [readFileSync(path), pathToFileURL(path), fd]) t.same(array(torch.jit.load(source).forward(x())), [2, 4, 6])
  closeSync(fd)
  t.ok(torch.load(path) instanceof torch.jit.ScriptModule, 'torch.load hands a script archive over')
  t.throws(() => torch.jit.load('no/such/file.pt'), { code: 'ERR_ARCHIVE' })
  t.throws(() => torch.jit.load(path, { mapLocation: 'cuda:0' }), { code: 'ERR_ARCHIVE' })
  t.end()
})

t.test('asynchronous calls', async (t) => {
  const m = everything()
  const results = await Promise.all(Array.from({ length: 8 }, (_, i) => m.forwardAsync(torch.tensor([i, i, i]))))
  t.same(
    results.map(array),
    Array.from({ length: 8 }, (_, i) => [2 * i, 4 * i, 6 * i]),
  )
  t.equal(await m.runAsync('big', 1), 2)
  await t.rejects(m.runAsync('fail', 'later'), { code: 'ERR_SCRIPT' })
  await t.rejects(m.runAsync('nope'), { code: 'ERR_ARGUMENT' })
  await t.rejects(m.forwardAsync('text'), { code: 'ERR_ARGUMENT' })
})

t.test('fork and wait', (t) => {
  t.same(array(everything().parallel(x())), [6, 12, 18])
  t.end()
})

t.test('what programs print goes to the handler', (t) => {
  const lines: string[] = []
  torch.onPrint((line) => lines.push(line))
  t.equal(everything().say(3), null)
  torch.onPrint(null)
  t.same(
    lines.map((line) => line.trimEnd()),
    ['x is 3'],
  )
  t.end()
})

t.test('dispose ends a module', (t) => {
  const m = everything()
  const [[, weight]] = m.namedParameters()
  m.dispose()
  t.throws(() => m.forward(x()), { code: 'ERR_ARGUMENT' })
  t.equal(weight.numel(), 3, 'tensors taken from it live on')
  t.end()
})

t.test('traces: constants of Python numbers promote as numbers', (t) => {
  const m = torch.jit.load('test/fixtures/api/traced.pt')
  const io = torch.load('test/fixtures/api/traced_io.pt') as Map<string, unknown>
  const [y, z] = m.forward(io.get('x')) as torch.Tensor[]
  const [wantedY, wantedZ] = io.get('out') as torch.Tensor[]
  t.equal(z.dtype, 'float32', 'int64 * 0.5 is float32, though the trace says 0-dim float64')
  t.same(z.toArray(), wantedZ.toArray())
  t.same(y.shape, wantedY.shape)
  t.ok(Array.from(y.data as Float32Array).every((v, i) => Math.abs(v - Number(wantedY.data[i])) < 1e-5))
  t.end()
})

t.test('graph, inlined graph and code', (t) => {
  const m = everything()
  t.match(m.graph, /^graph\(%self : __torch__.Everything,[\s\S]*prim::CallMethod\[name="forward"\]/)
  t.match(m.inlinedGraph, /prim::GetAttr\[name="weight"\]/)
  t.notMatch(m.inlinedGraph, /prim::CallMethod/)
  t.match(m.graph, /prim::CallMethod/, 'inlining works on a copy')
  t.match(m.code, /^def forward\(self[^,]*,\n {4}x: Tensor,\n {4}times: int=1,\n {4}bias: Optional\[Tensor\]=None\) -> Tensor:\n/)
  t.match(m.codeOf('big'), /return torch\.add\(x, 1\)/)
  t.end()
})
