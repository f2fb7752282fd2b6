// Times models against onnxruntime-node in one process, interleaved: npm run bench -- --models <folder> [--filter text] [--threads 1] [--seconds 6] [--as-loaded]
// The folder holds NAME.pt, NAME.onnx and NAME.io.pt (bench/models/make_models.py makes them). Prints minima, medians and the ratio
// peer / ours. Our models go through optimizeForInference, as onnxruntime optimises its own when it opens them; --as-loaded leaves that out.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as torch from '../lib/index.js'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    filter: { type: 'string', default: '' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'string' },
    'as-loaded': { type: 'boolean', default: false },
  },
})
if (options.models === undefined) throw new Error('Expected a folder for `--models` but received nothing')
const folder = resolve(options.models)
const threads = Number(options.threads)
torch.setNumThreads(threads)

const peers = createRequire(resolve('bench/peers/package.json'))
interface OrtSession {
  readonly inputNames: string[]
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>
}
interface Ort {
  InferenceSession: { create(path: string, options: object): Promise<OrtSession> }
  Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown
}
const ort: Ort | undefined = (() => {
  try {
    return peers('onnxruntime-node') as Ort
  } catch {
    console.log('onnxruntime-node is not installed (npm install in bench/peers); ours alone')
    return undefined
  }
})()

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]
const show = (ms: number): string => (ms < 1 ? `${(1000 * ms).toFixed(1)} us` : `${ms.toFixed(2)} ms`)
const now = (): number => Number(process.hrtime.bigint()) / 1e6

interface Row {
  model: string
  threads: number
  ours: { min: number; median: number }
  peer?: { min: number; median: number }
  ratioOfMinima?: number
  ratioOfMedians?: number
  largestDifference: number
}
const rows: Row[] = []
for (const file of readdirSync(folder)
  .filter((f) => f.endsWith('.io.pt') && f.includes(options.filter))
  .sort()) {
  const name = file.slice(0, -6)
  const io = torch.load(join(folder, file)) as Map<string, unknown>
  const inputs = io.get('inputs') as torch.Tensor[]
  const expected = io.get('expected') as torch.Tensor
  const loaded = torch.jit.load(join(folder, `${name}.pt`))
  const model = (options['as-loaded'] ? loaded : torch.jit.optimizeForInference(loaded)) as unknown as {
    forward(...args: unknown[]): torch.Tensor | torch.Tensor[] | Map<string, torch.Tensor>
  }
  const first = (out: torch.Tensor | torch.Tensor[] | Map<string, torch.Tensor>): torch.Tensor =>
    out instanceof torch.Tensor ? out : out instanceof Map ? [...out.values()][0] : out[0]
  const got = first(model.forward(...inputs)).data as Float32Array
  const want = expected.data as Float32Array
  const largestDifference = got.reduce((worst, v, i) => Math.max(worst, Math.abs(v - want[i]) - 1e-3 * Math.abs(want[i])), 0)

  const session =
    ort && existsSync(join(folder, `${name}.onnx`))
      ? await ort.InferenceSession.create(join(folder, `${name}.onnx`), { intraOpNumThreads: threads, interOpNumThreads: 1 })
      : undefined
  const feeds: Record<string, unknown> = {}
  session?.inputNames.forEach((input, i) => (feeds[input] = new ort!.Tensor(inputs[i].dtype, inputs[i].data, inputs[i].shape)))
  const ours: number[] = []
  const theirs: number[] = []
  for (let i = 0; i < 3; i++) {
    model.forward(...inputs)
    await session?.run(feeds)
  }
  const until = now() + 1000 * Number(options.seconds)
  // Fast models run in bursts, so that the clock's own cost does not count.
  let start = now()
  model.forward(...inputs)
  const burst = Math.max(1, Math.min(200, Math.floor(1 / Math.max(1e-3, now() - start))))
  while (now() < until || ours.length < 5) {
    start = now()
    for (let i = 0; i < burst; i++) model.forward(...inputs)
    ours.push((now() - start) / burst)
    if (session !== undefined) {
      start = now()
      for (let i = 0; i < burst; i++) await session.run(feeds)
      theirs.push((now() - start) / burst)
    }
  }
  const row: Row = { model: name, threads, ours: { min: Math.min(...ours), median: median(ours) }, largestDifference }
  if (session !== undefined) {
    row.peer = { min: Math.min(...theirs), median: median(theirs) }
    row.ratioOfMinima = row.peer.min / row.ours.min
    row.ratioOfMedians = row.peer.median / row.ours.median
  }
  rows.push(row)
  console.log(
    `${name.padEnd(16)} ${threads} thread  ours ${show(row.ours.min)} / ${show(row.ours.median)}` +
      (row.peer
        ? `  onnxruntime ${show(row.peer.min)} / ${show(row.peer.median)}  ratio ${row.ratioOfMinima!.toFixed(2)} / ${row.ratioOfMedians!.toFixed(2)}`
        : '') +
      `  beyond rtol 1e-3: ${largestDifference.toExponential(1)}`,
  )
}
if (options.json !== undefined) {
  mkdirSync(resolve(options.json, '..'), { recursive: true })
  const stamp = { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0].model, isa: torch.isa(), node: process.version, threads }
  writeFileSync(options.json, `${JSON.stringify({ ...stamp, rows }, null, 2)}\n`)
}
