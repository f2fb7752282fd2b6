// The process that memory.ts starts: a request on its standard input, what was measured on its output. It loads nothing but the engine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { now } from './interleave.js'
import { findOnnxRuntime, openOnnxRuntime } from './onnxruntime.js'
import { prepareOurs, type Library, type Variant } from './prepare.js'
import type { Memory, StartUp } from './results.js'

interface Request {
  /** Undefined: onnxruntime. */
  readonly variant?: Variant
  readonly folder: string
  readonly name: string
  readonly threads: number
  readonly calls: number
  readonly inputs: readonly { readonly dtype: string; readonly shape: readonly number[]; readonly array: string; readonly base64: string }[]
}

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

/** The elements of an input, in memory of their own. */
function elements({ array, base64 }: Request['inputs'][number]): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  const type = (globalThis as unknown as Record<string, new (buffer: ArrayBufferLike) => Float32Array>)[array]
  return new type(bytes.buffer)
}

function dispose(value: unknown): void {
  if (Array.isArray(value)) value.forEach(dispose)
  else if (value instanceof Map) [...value.values()].forEach(dispose)
  else (value as { dispose?: () => void } | null)?.dispose?.()
}

async function measureOurs(request: Request, variant: Variant): Promise<Memory> {
  // What is shipped; the compiled sources take more memory file by file.
  const torch = (await import(new URL('../../../dist/index.mjs', import.meta.url).href)) as Library
  torch.setNumThreads(request.threads)
  const inputs = request.inputs.map((input) => torch.tensor(elements(input), { shape: [...input.shape] }))
  const base = peakRss()
  const heap = process.memoryUsage().heapTotal
  const watch = new Stopwatch()
  let load = 0
  const { model, report } = prepareOurs(torch, join(request.folder, `${request.name}.pt`), variant, () => (load = watch.lap()))
  const optimise = variant === 'optimized' ? { optimise: watch.lap() } : {}
  if (variant !== 'optimized') load += watch.lap()
  dispose(model.forward(...inputs))
  const startUp: StartUp = { load, ...optimise, first: watch.lap(), processor: watch.processor }
  // Who keeps results has them in memory until the collector comes: that is the caller's, not the engine's.
  for (let i = 1; i < request.calls; i++) dispose(model.forward(...inputs))
  const stats = torch.memoryStats()
  const found = report()
  return {
    base,
    peak: peakRss(),
    after: process.memoryUsage.rss(),
    ...(found === undefined ? {} : { arena: found.arenaBytes, live: found.liveBytes, results: found.outputBytes }),
    packed: stats.packedBytes,
    held: stats.peakBytes,
    kept: stats.liveBytes,
    heap: Math.max(0, process.memoryUsage().heapTotal - heap),
    startUp,
  }
}

async function measureOnnxRuntime(request: Request): Promise<Memory> {
  const ort = findOnnxRuntime()
  if (typeof ort === 'string') throw new Error(ort)
  const inputs = request.inputs.map((input) => ({ dtype: input.dtype, data: elements(input), shape: input.shape }))
  const base = peakRss()
  const watch = new Stopwatch()
  let load = 0
  const session = await openOnnxRuntime(ort, { ...request, inputs }, request.threads, () => (load = watch.lap()))
  if (typeof session === 'string') throw new Error(session)
  const startUp: StartUp = { load, first: watch.lap(), processor: watch.processor }
  await session.run(request.calls - 1)
  return { base, peak: peakRss(), after: process.memoryUsage.rss(), startUp }
}

const request = JSON.parse(readFileSync(0, 'utf8')) as Request
const found = request.variant === undefined ? await measureOnnxRuntime(request) : await measureOurs(request, request.variant)
process.stdout.write(JSON.stringify(found))
