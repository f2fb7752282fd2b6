import t from 'tap'
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as torch from '../../lib/index.js'

const library = pathToFileURL(resolve('.build/lib/index.js')).href
/** Runs a program in a process of its own, which must end well, and gives what it printed. */
const run = (source: string, ...flags: string[]): string =>
  execFileSync(process.execPath, [...flags, '--input-type=module', '-e', `import * as torch from '${library}'\n${source}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
const model = 'examples/digits/mnist_cnn_traced.pt'

t.test('50 workers start and are terminated under load', (t) => {
  const out = run(`
import { Worker } from 'node:worker_threads'
const code = \`Promise.all([import('${library}'), import('node:worker_threads')]).then(([torch, { parentPort }]) => {
  const m = torch.jit.load('${model}')
  const x = torch.tensor(new Float32Array(784 * 8), { shape: [8, 1, 28, 28] })
  m.forward(x)
  parentPort.postMessage('ready')
  const step = () => { for (let i = 0; i < 8; i++) { m.forward(x); m.forwardAsync(x).catch(() => {}) } setImmediate(step) }
  step()
})\`
let started = 0
for (let batch = 0; batch < 10; batch++) {
  await Promise.all(Array.from({ length: 5 }, async () => {
    const worker = new Worker(code, { eval: true })
    await new Promise((done, fail) => { worker.once('message', done); worker.once('error', fail) })
    started++
    await worker.terminate()
  }))
}
console.log(started)
process.exit(0)`)
  t.equal(out.trim(), '50')
  t.end()
})

t.test('1,000 times load, run and dispose leave memory flat', (t) => {
  const out = run(
    `
const x = torch.tensor(new Float32Array(784), { shape: [1, 1, 28, 28] })
const cycle = () => { const m = torch.jit.load('${model}'); m.forward(x).dispose(); m.forward(x).dispose(); m.dispose() }
for (let i = 0; i < 200; i++) cycle()
globalThis.gc(); await new Promise((r) => setTimeout(r, 50)); globalThis.gc()
const before = process.memoryUsage().rss
for (let i = 0; i < 1000; i++) { cycle(); if (i % 50 === 49) await new Promise((r) => setImmediate(r)) }
globalThis.gc(); await new Promise((r) => setTimeout(r, 50)); globalThis.gc()
console.log(process.memoryUsage().rss - before)`,
    '--expose-gc',
  )
  const grown = Number(out)
  // A leak of the model's weights alone would be 1.7 GB; collectors of two heaps account for some megabytes.
  t.ok(grown < 32e6, `grew by ${(grown / 1e6).toFixed(1)} MB`)
  t.end()
})

t.test('forwardAsync leaves the event loop free', async (t) => {
  const m = torch.jit.load(model) as unknown as {
    forward(x: torch.Tensor): torch.Tensor
    forwardAsync(x: torch.Tensor): Promise<torch.Tensor>
  }
  const x = torch.tensor(new Float32Array(784 * 500), { shape: [500, 1, 28, 28] })
  let ticks = 0
  const count = (): void => {
    ticks++
    if (!done) setImmediate(count)
  }
  let done = false
  setImmediate(count)
  const result = await m.forwardAsync(x)
  done = true
  // The call takes tens of milliseconds; a blocked loop would have ticked once or twice.
  t.ok(ticks > 20, `${ticks} turns of the event loop during the call`)
  t.same(result.shape, [500, 10])
  const many = await Promise.all(
    Array.from({ length: 16 }, () => m.forwardAsync(torch.tensor(new Float32Array(784), { shape: [1, 1, 28, 28] }))),
  )
  const single = m.forward(torch.tensor(new Float32Array(784), { shape: [1, 1, 28, 28] }))
  for (const one of many) t.same(one.toArray(), single.toArray())
})

t.test('int64 tensors come from plain numbers, Int32Array and BigInt64Array', (t) => {
  const want = [1, 2, 3]
  for (const data of [want, Int32Array.from(want), BigInt64Array.from([1n, 2n, 3n]), [1n, 2n, 3n]]) {
    const made = torch.tensor(data as never, { dtype: 'int64' })
    t.equal(made.dtype, 'int64')
    t.same(made.toArray(), want)
  }
  t.same(torch.tensor([2n ** 60n + 1n]).toArray(), [2n ** 60n + 1n])
  t.throws(() => torch.tensor([1.5], { dtype: 'int64' }), { code: 'ERR_ARGUMENT' })
  t.end()
})
