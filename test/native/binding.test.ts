import t from 'tap'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { TensorHandle } from '../../lib/native/binding.js'
import { dtypes, load, native, planOf, tensor, values } from './programs.js'

const identity = (type: string): ((value: unknown) => unknown) => {
  const program = load(`graph(%x : ${type}):\n  return (%x)`)
  return (value) => program.run(0, [value])
}

t.test('values of every type cross and come back', (t) => {
  const cases: [type: string, values: unknown[]][] = [
    ['int', [0, -5, Number.MAX_SAFE_INTEGER]],
    ['float', [0.5, -0, Infinity, NaN, 3]],
    ['bool', [true, false]],
    ['str', ['', 'héllo']],
    ['NoneType', [null]],
    ['Device', ['cpu', 'cuda:1']],
    ['complex', [{ re: 1.5, im: -2 }]],
    ['int[]', [[], [1, 2, 3]]],
    ['float[][]', [[[1.5], []]]],
    ['str?', ['a', null]],
    ['(int, str)', [[1, 'a']]],
    [
      'Dict(str, int)',
      [
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ],
    ],
    ['Dict(int, float[])', [new Map([[3, [0.5]]])]],
    ['Any', [1, 1.5, 'a', null, true, [1, 'x'], new Map([['k', [1]]])]],
  ]
  for (const [type, list] of cases) {
    const run = identity(type)
    for (const value of list) t.strictSame(run(value), value, `${type}: ${String(value)}`)
  }
  t.end()
})

t.test('integers beyond 2^53 are bigints, both ways', (t) => {
  const run = identity('int')
  t.equal(run(2n ** 63n - 1n), 2n ** 63n - 1n)
  t.equal(run(-(2n ** 63n)), -(2n ** 63n))
  t.equal(run(7n), 7)
  t.throws(() => run(2n ** 63n), { code: 'ERR_ARGUMENT', message: /64-bit integer for `x`/ })
  t.end()
})

t.test('other forms are accepted on the way in', (t) => {
  t.same(identity('int[]')(new Int32Array([1, 2])), [1, 2])
  t.same(identity('int[]')(new BigInt64Array([5n])), [5])
  t.same(identity('float[]')(new Float32Array([0.5])), [0.5])
  t.same(identity('Dict(str, int)')({ a: 1 }), new Map([['a', 1]]))
  t.equal(identity('str?')(undefined), null)
  t.end()
})

t.test('wrong arguments say what was expected, where, and what came', (t) => {
  const wrong = (type: string, value: unknown, message: string): void => {
    t.throws(() => identity(type)(value), { code: 'ERR_ARGUMENT', message }, message)
  }
  wrong('Tensor', 'a', "Expected a value of type 'Tensor' for `x` (argument 1 of f0) but received a string.")
  wrong('int', 1.5, "Expected a value of type 'int' for `x` (argument 1 of f0) but received the number 1.5.")
  wrong('int[]', [1, null], "Expected a value of type 'int' for `x[1]` (argument 1 of f0) but received null.")
  wrong('float', '1', "Expected a value of type 'float' for `x` (argument 1 of f0) but received a string.")
  wrong('bool', 1, "Expected a value of type 'bool' for `x` (argument 1 of f0) but received the number 1.")
  wrong('(int, str)', [1], 'Expected a tuple of 2 elements for `x` (argument 1 of f0) but received an array of 1.')
  wrong('Dict(str, int)', { a: 'b' }, 'Expected a value of type \'int\' for `x["a"]` (argument 1 of f0) but received a string.')
  const program = load('graph(%x : int, %y : int):\n  return (%x)')
  t.throws(() => program.run(0, [1]), { code: 'ERR_ARGUMENT', message: "f0() is missing value for argument 'y'." })
  t.throws(() => program.run(0, [1, 2, 3]), {
    code: 'ERR_ARGUMENT',
    message: 'f0() expected at most 2 argument(s) but received 3 argument(s).',
  })
  t.throws(() => program.run(0, [1, { __kwargs__: { z: 1 } }]), {
    code: 'ERR_ARGUMENT',
    message: "f0() is missing value for argument 'y'.",
  })
  t.throws(() => program.run(0, [1, { __kwargs__: { y: 1, z: 1 } }]), {
    code: 'ERR_ARGUMENT',
    message: "Unknown keyword argument 'z' for 'f0'.",
  })
  t.equal(program.run(0, [{ __kwargs__: { y: 1, x: 4 } }]), 4)
  t.throws(() => program.run(7, []), { code: 'ERR_ARGUMENT' })
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  t.throws(() => identity('Any')(cyclic), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('objects of other makes are not taken for handles', (t) => {
  for (const impostor of [{}, [], new Map(), Object.create(Object.getPrototypeOf(tensor([1], [1]))), new Date(), new Uint8Array(4)]) {
    t.throws(() => identity('Tensor')(impostor), { code: 'ERR_ARGUMENT' })
  }
  const make = tensor([1], [1]).constructor as new () => unknown
  t.throws(() => new make(), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('tensors share memory with ArrayBuffers, in both directions', (t) => {
  const data = new Float32Array([1, 2, 3, 4, 5, 6])
  const handle = native.tensorFromBuffer(data.buffer, 8, dtypes.float32, [2, 2])
  t.equal(handle.data(), data.buffer)
  t.equal(handle.dataOffset, 8)
  data[2] = 30
  t.same(values(handle), [30, 4, 5, 6])
  const storage = native.storageFromBuffer(data.buffer, 0, 24, true)
  const transposed = native.tensorOnStorage(storage, dtypes.float32, [3, 2], [1, 3], 0)
  t.match(transposed.info(), { sizes: [3, 2], strides: [1, 3], isContiguous: false, storageBytes: 24 })
  t.same(values(transposed), [1, 4, 2, 5, 30, 6])
  const made = native.emptyTensor(dtypes.int64, [3])
  new BigInt64Array(made.data()).set([1n, 2n, 3n])
  t.same(values(made), [1n, 2n, 3n])
  t.equal(made.data(), made.data())
  t.end()
})

t.test('windows outside of the memory and other nonsense are refused', (t) => {
  const buffer = new ArrayBuffer(16)
  const refused: (() => unknown)[] = [
    () => native.tensorFromBuffer(buffer, 0, dtypes.float32, [5]),
    () => native.tensorFromBuffer(buffer, 17, dtypes.float32, [0]),
    () => native.tensorFromBuffer(buffer, 0, dtypes.float32, [2 ** 40, 2 ** 40]),
    () => native.tensorFromBuffer(buffer, 0, dtypes.float32, [2, 2], [-2, 1]),
    () => native.tensorFromBuffer(buffer, 0, 99, [1]),
    () =>
      native.tensorFromBuffer(
        buffer,
        0,
        dtypes.float32,
        Array.from({ length: 20 }, () => 1),
      ),
    () => native.storageFromBuffer(buffer, 8, 9, false),
    () => native.emptyTensor(dtypes.float32, [2 ** 50]),
    () => native.emptyTensor(dtypes.float32, [-1]),
    () => native.tensorOnStorage({} as never, dtypes.float32, [1], [1], 0),
    () => native.loadProgram([] as never, []),
  ]
  for (const call of refused) t.throws(call, { code: /^ERR_/ }, call.toString())
  t.end()
})

t.test('a disposed tensor says so', (t) => {
  const handle = tensor([1], [1])
  handle.dispose()
  t.equal(handle.isDisposed, true)
  t.throws(() => handle.info(), { code: 'ERR_ARGUMENT', message: /disposed/ })
  t.throws(() => identity('Tensor')(handle), { code: 'ERR_ARGUMENT', message: /disposed/ })
  handle.dispose()
  t.end()
})

t.test('a tensor whose ArrayBuffer was transferred says so', (t) => {
  const data = new Float32Array([1, 2])
  const handle = native.tensorFromBuffer(data.buffer, 0, dtypes.float32, [2])
  structuredClone(data.buffer, { transfer: [data.buffer] })
  t.throws(() => identity('Tensor')(handle), { code: 'ERR_ARGUMENT', message: /transferred/ })
  t.throws(() => native.tensorFromBuffer(data.buffer, 0, dtypes.float32, [0]), { code: 'ERR_ARGUMENT', message: /transferred/ })
  const resizable = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(8, { maxByteLength: 16 })
  t.throws(() => native.tensorFromBuffer(resizable, 0, dtypes.float32, [2]), { code: 'ERR_ARGUMENT', message: /resizable/ })
  t.end()
})

t.test('quantization parameters', (t) => {
  const storage = native.storageFromBuffer(new Uint8Array([1, 2, 3, 4]).buffer, 0, 4, false)
  const perTensor = native.tensorOnStorage(storage, 13, [4], [1], 0, { scheme: 0, scale: 0.5, zeroPoint: 3 })
  t.same(perTensor.info().quant, { scheme: 0, scale: 0.5, zeroPoint: 3 })
  const perChannel = native.tensorOnStorage(storage, 12, [2, 2], [2, 1], 0, { scheme: 1, scale: [0.5, 1], zeroPoint: [0, 0], axis: 0 })
  t.same([...(perChannel.info().quant!.scale as Float64Array)], [0.5, 1])
  t.throws(() => native.tensorOnStorage(storage, 12, [2, 2], [2, 1], 0, { scheme: 1, scale: [0.5], zeroPoint: [0], axis: 0 }), {
    code: 'ERR_ARGUMENT',
  })
  t.end()
})

t.test('files are mapped; writes stay in memory', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'data')
  writeFileSync(path, Buffer.from([1, 2, 3]))
  const bytes = new Uint8Array(native.mapFile(path))
  t.same([...bytes], [1, 2, 3])
  bytes[0] = 9
  t.same([...new Uint8Array(native.mapFile(path))], [1, 2, 3])
  t.throws(() => native.mapFile(join(folder, 'none')), { code: 'ENOENT' })
  t.throws(() => native.mapFile(folder), { code: 'EIO' })
  t.end()
})

t.test('malformed plans are refused', (t) => {
  const plan = planOf('graph(%x : int):\n  return (%x)')
  for (let length = 0; length < plan.length; length++)
    t.throws(() => native.loadProgram(plan.slice(0, length), []), { code: 'ERR_PLAN' }, `${length} bytes`)
  t.throws(() => native.loadProgram(new Uint8Array([...plan, 0]), []), { code: 'ERR_PLAN' })
  t.end()
})

t.test('TORCHSCRIPT_ISA forces an instruction set or fails', (t) => {
  const isa = (name: string): { stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['-e', 'console.log(require("./build/Release/torchscript.node").isa())'], {
      env: { ...process.env, TORCHSCRIPT_ISA: name },
      encoding: 'utf8',
    })
  t.equal(isa('scalar').stdout, 'scalar\n')
  t.match(isa('sse9').stderr, /Expected scalar, avx2 or avx512 for TORCHSCRIPT_ISA but received "sse9"/)
  t.end()
})

t.test('worker threads have handles of their own', async (t) => {
  const code = `
    const { parentPort } = require('node:worker_threads')
    const native = require(process.cwd() + '/build/Release/torchscript.node')
    const made = native.tensorFromBuffer(new Float32Array([1, 2]).buffer, 0, 6, [2])
    parentPort.postMessage(made.info().sizes)`
  const sizes = await Promise.all(
    [0, 1].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true })
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    ),
  )
  t.same(sizes, [[2], [2]])
})

t.test('asynchronous runs answer with values or errors', async (t) => {
  const program = load('graph(%x : Tensor, %n : int):\n  %r : (Tensor, int) = prim::TupleConstruct(%x, %n)\n  return (%r)')
  const [same, n] = (await program.runAsync(0, [tensor([2], [1, 2]), 5])) as [TensorHandle, number]
  t.same(values(same), [1, 2])
  t.equal(n, 5)
  t.throws(() => program.runAsync(0, [1, 2]), { code: 'ERR_ARGUMENT' })
})
