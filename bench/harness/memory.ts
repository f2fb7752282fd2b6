// Start-up times and peak memory of each engine: a process of its own loads the model and calls it ten times.
// As a program: memory.js ours|onnxruntime FOLDER NAME THREADS [VARIANT], which prints one JSON object.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { jit, memoryStats, setNumThreads } from '../../lib/index.js'
import { now } from './interleave.js'
import { findOnnxRuntime, openOnnxRuntime } from './onnxruntime.js'
import { prepareOurs, variantOf, type Prepared, type Variant } from './ours.js'
import { readPair, type Pair } from './pair.js'
import { TorchPeer, openTorch, type TorchMode } from './pytorch.js'
import type { Memory, StartUp } from './results.js'

const self = fileURLToPath(import.meta.url)
const calls = 10

/** getrusage's figure is inherited from the process that started this one; the kernel's high-water mark of the address space is not. */
function peakRss(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}

const processorTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Splits the time of what follows into steps. */
class Stopwatch {
  private last = now()
  private readonly processorStart = processorTime()
  lap(): number {
    const before = this.last
    this.last = now()
    return this.last - before
  }
  get processor(): number {
    return processorTime() - this.processorStart
  }
}

function startOurs(pair: Pair, variant: Variant, watch: Stopwatch): { prepared: Prepared; steps: Pick<StartUp, 'load' | 'optimise'> } {
  if (variant !== 'optimized') {
    const prepared = prepareOurs(pair, variant)
    return { prepared, steps: { load: watch.lap() } }
  }
  const loaded = jit.load(join(pair.folder, `${pair.name}.pt`))
  const load = watch.lap()
  const model = jit.optimizeForInference(loaded)
  const optimise = watch.lap()
  const report: Prepared['report'] = () => model.explain().find((r) => r.function.endsWith('.forward'))
  return { prepared: { model, report, dispose: () => model.dispose() }, steps: { load, optimise } }
}

async function measure([engine, folder, name, threads, variant]: readonly string[]): Promise<Memory> {
  const pair = readPair(folder, name)
  if (engine === 'ours') {
    setNumThreads(Number(threads))
    const base = peakRss()
    const watch = new Stopwatch()
    const { prepared, steps } = startOurs(pair, variant as Variant, watch)
    const { model } = prepared
    model.forward(...pair.inputs)
    const startUp: StartUp = { ...steps, first: watch.lap(), processor: watch.processor }
    for (let i = 1; i < calls; i++) model.forward(...pair.inputs)
    const report = prepared.report()
    const stats = memoryStats()
    const planned = report === undefined ? {} : { arena: report.arenaBytes, live: report.liveBytes }
    return {
      base,
      peak: peakRss(),
      after: process.memoryUsage.rss(),
      ...planned,
      packed: stats.packedBytes,
      held: stats.peakBytes,
      startUp,
    }
  }
  const ort = findOnnxRuntime()
  if (typeof ort === 'string') throw new Error(ort)
  const base = peakRss()
  const watch = new Stopwatch()
  let load = 0
  const session = await openOnnxRuntime(ort, pair, Number(threads), () => (load = watch.lap()))
  if (typeof session === 'string') throw new Error(session)
  const startUp: StartUp = { load, first: watch.lap(), processor: watch.processor }
  await session.run(calls - 1)
  return { base, peak: peakRss(), after: process.memoryUsage.rss(), startUp }
}

/** `name` is that of the engine; undefined when it could not be measured. */
export async function memoryOf(name: string, pair: Pair, threads: number, python: string | undefined): Promise<Memory | undefined> {
  try {
    if (name.startsWith('torch ')) {
      if (python === undefined) return undefined
      const peer = new TorchPeer(python, 600)
      try {
        const engine = await openTorch(peer, name.slice('torch '.length) as TorchMode, pair, { threads })
        if (typeof engine === 'string') return undefined
        await engine.run(calls - 1)
        const { peakBytes: peak, baseBytes: base, afterBytes: after } = await peer.ask('memory')
        return peak === undefined || base === undefined || after === undefined ? undefined : { base, peak, after }
      } finally {
        peer.stop()
      }
    }
    const variant = variantOf(name)
    const kind = variant === undefined ? name : 'ours'
    const { stdout } = await promisify(execFile)(process.execPath, [self, kind, pair.folder, pair.name, String(threads), variant ?? ''])
    return JSON.parse(stdout) as Memory
  } catch {
    return undefined
  }
}

if (process.argv[1] === self) process.stdout.write(JSON.stringify(await measure(process.argv.slice(2))))
