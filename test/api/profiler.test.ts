import t from 'tap'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as torch from '../../lib/index.js'
import { chromeTrace } from '../../lib/api/profiler/chrome-trace.js'
import { bytesOf, flopsOf } from '../../lib/api/profiler/flops.js'
import type { ProfilerEvent } from '../../lib/api/profiler/profile.js'
import { KeyAverages } from '../../lib/api/profiler/table.js'
import type { NativeProfileEvent, NativeProfileOperand } from '../../lib/native/binding.js'

const model = (): torch.jit.ScriptModule => torch.jit.load('examples/digits/mnist_cnn_traced.pt')
const image = (): torch.Tensor => torch.tensor(new Float32Array(784).fill(0.5), { shape: [1, 1, 28, 28] })

t.test('a profile has one event for each node of the schedule, in order', (t) => {
  const m = model()
  const x = image()
  for (let i = 0; i < 2; i++) m.forward(x)
  const { steps } = m.explain()[0]
  const prof = torch.profiler.profile(() => m.forward(x) as torch.Tensor)
  t.same(prof.result.shape, [1, 10])
  t.same(
    prof.events.map((e) => e.step),
    Array.from({ length: steps }, (_, i) => i),
  )
  t.equal(prof.dropped, 0)
  const first = prof.events[0]
  t.equal(first.name, 'aten::_convolution')
  t.equal(first.start, 0)
  t.ok(first.duration > 0)
  t.same(
    first.inputs.map((i) => [i.dtype, i.shape]),
    [
      ['float32', [1, 1, 28, 28]],
      ['float32', [32, 1, 3, 3]],
      ['float32', [32]],
    ],
  )
  t.same(
    first.outputs.map((o) => o.shape),
    [[1, 32, 28, 28]],
  )
  t.equal(first.flops, 2 * 32 * 9 * 784)
  t.equal(first.bytes, 4 * (784 + 288 + 32 + 32 * 784))
  t.match(first.location, /:\d+$/)
  t.match(first.kernel, /f32/)
  t.end()
})

t.test('key averages group by name and kernel, by shapes and by lines', (t) => {
  const m = model()
  const x = image()
  m.forward(x)
  const prof = torch.profiler.profile(() => [m.forward(x), m.forward(x)])
  const linear = [...prof.keyAverages()].filter((row) => row.key === 'aten::linear')
  t.equal(
    linear.reduce((n, row) => n + row.count, 0),
    4,
  )
  t.equal(
    linear.reduce((n, row) => n + row.flops, 0),
    2 * 2 * (3136 * 128 + 1280),
  )
  const byShape = [...prof.keyAverages({ groupByInputShape: true })].filter((row) => row.key === 'aten::linear')
  t.same(byShape.map((row) => [row.inputShapes, row.count]).sort(), [
    ['[1, 128] [10, 128] [10]', 2],
    ['[1, 3136] [128, 3136] [128]', 2],
  ])
  const byLine = [...prof.keyAverages({ groupByLocation: true })].filter((row) => row.key === 'aten::linear')
  t.equal(new Set(byLine.map((row) => row.location)).size, 2)
  t.match(prof.table({ groupByInputShape: true, groupByLocation: true }), /Input Shapes +Location\n/)
  t.end()
})

t.test('a profile of a promise is promised, and eager operators are in it', async (t) => {
  const m = model()
  const x = image()
  const prof = await torch.profiler.profile(async () => {
    x.add(1)
    return m.forwardAsync(x)
  })
  t.same((prof.result as torch.Tensor).shape, [1, 10])
  const names = prof.events.map((e) => e.name)
  t.ok(names.some((n) => n.startsWith('aten::add')))
  t.ok(names.includes('aten::linear'))
  await t.rejects(
    torch.profiler.profile(async () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.same(torch.profiler.profile(() => 1).events, [], 'nothing is left over')
})

t.test('one profile at a time, of a function', (t) => {
  t.throws(() => torch.profiler.profile(() => torch.profiler.profile(() => 1)), { message: /Expected no profile that still runs/ })
  t.equal(torch.profiler.profile(() => 2).result, 2, 'an error ends the profile')
  t.throws(() => torch.profiler.profile(1 as never), { message: 'Expected a function for `fn` of profile but received 1' })
  t.end()
})

t.test('ranges and operators go into the trace', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-profile-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const x = torch.ones([3])
  const prof = await torch.profiler.profile(async () => {
    torch.profiler.recordFunction('first', () => x.mul(2))
    await torch.profiler.recordFunction('second', async () => Promise.resolve(x.neg()))
    t.throws(() =>
      torch.profiler.recordFunction('third', () => {
        throw new Error('no')
      }),
    )
  })
  t.equal(
    torch.profiler.recordFunction('outside', () => 5),
    5,
  )
  const ranges = prof.events.filter((e) => e.category === 'range')
  t.same(
    ranges.map((e) => e.name),
    ['first', 'second', 'third'],
  )
  const mul = prof.events.find((e) => e.name.startsWith('aten::mul'))!
  t.ok(mul.start >= ranges[0].start && mul.start + mul.duration <= ranges[0].start + ranges[0].duration + 1, 'one clock')
  const path = join(folder, 'trace.json')
  prof.exportChromeTrace(path)
  const trace = JSON.parse(readFileSync(path, 'utf8')) as { traceEvents: { ph: string; name: string; cat?: string }[] }
  t.ok(trace.traceEvents.some((e) => e.ph === 'X' && e.cat === 'user_annotation' && e.name === 'second'))
  t.throws(() => prof.exportChromeTrace(''), { message: 'Expected a path for `path` of exportChromeTrace but received ""' })
})

const event = (fields: Partial<ProfilerEvent>): ProfilerEvent => ({
  category: 'operator',
  name: 'aten::mm',
  kernel: 'gemm',
  start: 0,
  duration: 1000,
  thread: 0,
  step: 0,
  location: '',
  inputs: [{ dtype: 'float32', shape: [2, 3] }],
  outputs: [],
  flops: 5e6,
  bytes: 1e6,
  ...fields,
})

t.test('the table is exact for known events', (t) => {
  const events = [
    event({}),
    event({ duration: 3000, start: 2000 }),
    event({ name: 'aten::relu', kernel: '', duration: 0.5, flops: 0, bytes: 4000 }),
    event({ category: 'range', name: 'all', duration: 9e9 }),
  ]
  const averages = new KeyAverages(events)
  t.equal(averages.cpuTimeTotal, 4000.5)
  t.equal(
    averages.table(),
    `
----------  ------  ------  ---------  ------------  ----------  -------  ----
Name        Kernel   CPU %  CPU total  CPU time avg  # of Calls  GFLOP/s  GB/s
----------  ------  ------  ---------  ------------  ----------  -------  ----
aten::mm    gemm    99.99%    4.000ms       2.000ms           2      2.5   0.5
aten::relu           0.01%    0.500us       0.500us           1       --   8.0
----------  ------  ------  ---------  ------------  ----------  -------  ----
CPU time total: 4.000ms`.slice(1),
  )
  t.match(averages.table({ sortBy: 'bytes', rowLimit: 1 }), /aten::mm .*\n-.*\nand 1 more rows/)
  t.throws(() => averages.table({ sortBy: 'name' as never }), {
    message: 'Expected one of cpuTimeTotal, cpuTime, count, flops, bytes for `sortBy` but received "name"',
  })
  t.end()
})

t.test('the trace is exact for known events', (t) => {
  const { traceEvents } = chromeTrace(
    [event({ thread: 1, step: 4, location: 'a.py:3' }), event({ category: 'range', name: 'r', thread: -1 })],
    7,
  )
  t.same(
    traceEvents.filter((e) => e.ph === 'M').map((e) => [e.tid, e.args.name]),
    [
      [0, 'torchscript-node'],
      [0, 'ranges'],
      [2, 'thread 1'],
    ],
  )
  t.same(traceEvents[3], {
    ph: 'X',
    cat: 'cpu_op',
    name: 'aten::mm',
    pid: 7,
    tid: 2,
    ts: 0,
    dur: 1000,
    args: {
      'Input Dims': [[2, 3]],
      'Input type': ['float32'],
      'Output Dims': [],
      Kernel: 'gemm',
      Step: 4,
      Location: 'a.py:3',
      'GFLOP/s': 5,
      Bytes: 1e6,
      'GB/s': 1,
    },
  })
  t.end()
})

t.test('operations and bytes follow from shapes', (t) => {
  const tensor = (...shape: number[]): NativeProfileOperand => ({ dtype: 6, shape, bytes: 4 * shape.reduce((p, s) => p * s, 1) })
  const native = (row: string, inputs: NativeProfileOperand[], ...out: number[]): NativeProfileEvent => ({
    name: row,
    row,
    inner: '',
    location: '',
    start: 0,
    nanoseconds: 1,
    thread: 0,
    step: -1,
    inputs,
    outputs: [tensor(...out) as NativeProfileEvent['outputs'][0]],
  })
  const flops = (...args: Parameters<typeof native>): number => flopsOf(native(...args))
  t.equal(flops('mm', [tensor(2, 3), tensor(3, 5)], 2, 5), 60)
  t.equal(flops('matmul', [tensor(4, 2, 3), tensor(3, 5)], 4, 2, 5), 240)
  t.equal(flops('dot', [tensor(7), tensor(7)]), 14)
  t.equal(flops('addmm', [tensor(5), tensor(2, 3), tensor(3, 5)], 2, 5), 60)
  t.equal(flops('addbmm', [tensor(2, 5), tensor(4, 2, 3), tensor(4, 3, 5)], 2, 5), 240)
  t.equal(flops('linear_epilogue', [tensor(2, 3), tensor(5, 3), null, null, null], 2, 5), 60)
  t.equal(flops('conv2d', [tensor(1, 4, 8, 8), tensor(6, 2, 3, 3)], 1, 6, 4, 4), 2 * 96 * 18, 'grouped and strided')
  const convolution = (transposed: boolean): NativeProfileOperand[] => [
    tensor(1, 4, 8),
    tensor(4, 6, 3),
    null,
    null,
    null,
    null,
    transposed,
  ]
  t.equal(flops('convolution', convolution(true), 1, 6, 10), 2 * 32 * 18)
  t.equal(flops('conv_transpose1d', convolution(true), 1, 6, 10), 2 * 32 * 18)
  t.equal(
    flops('scaled_dot_product_attention', [tensor(1, 2, 3, 4), tensor(1, 2, 5, 4), tensor(1, 2, 5, 6)], 1, 2, 3, 6),
    2 * 2 * 3 * 5 * 10,
  )
  t.equal(flops('relu', [tensor(3)], 3), 0)
  t.equal(bytesOf(native('relu', [tensor(3), true, 1], 3)), 24)
  t.equal(bytesOf(native('embedding', [tensor(1000, 8), tensor(2)], 2, 8)), 64 + 8 + 64, 'a table is not read whole')
  t.end()
})
