import { readFileSync } from 'node:fs'
import { load } from '../api/jit/load.js'
import { optimizeForInference } from '../api/jit/optimize-for-inference.js'
import { profile } from '../api/profiler/profile.js'
import { getNumThreads, isa, memoryStats, setNumThreads } from '../api/settings.js'
import { ArgumentError } from '../util/errors.js'
import { parseInput, positive, shapeOf } from './run.js'

interface BenchOptions {
  shape?: string[]
  input?: string[]
  method?: string
  threads?: string
  seconds?: string
  'as-loaded'?: boolean
  json?: boolean
}

/** Bursts are about this long, so that the clock's own cost does not count. */
const burstMs = 1

const time = (ms: number): string => (ms < 1 ? `${(1000 * ms).toFixed(1)} us` : `${ms.toFixed(2)} ms`)
const size = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`)
const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** On Linux the high-water mark of this process; what getrusage says may be that of the process that started it. */
function peakRss(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}

/** `torchscript bench`. */
export function benchCommand(file: string, options: BenchOptions): number {
  if (options.threads !== undefined) setNumThreads(positive(options.threads, '--threads'))
  const seconds = Number(options.seconds ?? '3')
  if (!(seconds > 0)) throw new ArgumentError(`Expected a positive number for \`--seconds\` but received ${options.seconds}`)
  if (options.shape !== undefined && options.input !== undefined)
    throw new ArgumentError('Expected --shape or --input, which give the arguments in order, but received both')
  const args = [
    ...(options.shape ?? []).map((text) => parseInput(`random:${shapeOf(text, '--shape').join(',')}`)),
    ...(options.input ?? []).map(parseInput),
  ]
  const method = options.method ?? 'forward'
  const started = now()
  const loaded = load(file, { mapLocation: 'cpu' })
  const model = options['as-loaded'] ? loaded : optimizeForInference(loaded)
  const loadMs = now() - started
  // Operations are counted in the program as it was loaded: rewriting it does not change what it computes.
  const flops = profile(() => loaded.run(method, ...args)).events.reduce((sum, event) => sum + event.flops, 0)
  const call = (): unknown => model.run(method, ...args)
  const firstStart = now()
  call()
  const firstMs = now() - firstStart
  for (let i = 0; i < 2; i++) call()
  let start = now()
  call()
  const burst = Math.max(1, Math.min(1000, Math.floor(burstMs / Math.max(1e-3, now() - start))))
  const times: number[] = []
  const until = now() + 1000 * seconds
  while (now() < until || times.length < 5) {
    start = now()
    for (let i = 0; i < burst; i++) call()
    times.push((now() - start) / burst)
  }
  times.sort((a, b) => a - b)
  const [least, median] = [times[0], times[times.length >> 1]]
  const report = model.explain().find((r) => r.function.endsWith(`.${method}`))
  const found = {
    model: file,
    method,
    isa: isa(),
    threads: getNumThreads(),
    optimized: !options['as-loaded'],
    loadMs,
    firstCallMs: firstMs,
    minimumMs: least,
    medianMs: median,
    calls: times.length * burst,
    flops,
    gflops: flops / least / 1e6,
    arenaBytes: report?.arenaBytes ?? 0,
    liveBytes: report?.liveBytes ?? 0,
    packedBytes: memoryStats().packedBytes,
    peakRssBytes: peakRss(),
    dynamic: report?.state === 'dynamic' ? report.reason : '',
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    return 0
  }
  const lines = [
    `${file}, ${method}, ${found.isa}, ${found.threads} ${found.threads === 1 ? 'thread' : 'threads'}${found.optimized ? '' : ', as loaded'}`,
    `time         ${time(least)} minimum, ${time(median)} median of ${found.calls} calls`,
    `throughput   ${(1000 / median).toFixed(1)} calls a second` +
      (flops > 0 ? `, ${(flops / 1e9).toPrecision(3)} GFLOP a call, ${found.gflops.toFixed(1)} GFLOP/s` : ''),
    `start        load${found.optimized ? ' and optimise' : ''} ${time(loadMs)}, first call ${time(firstMs)}`,
    `memory       arena ${size(found.arenaBytes)} for ${size(found.liveBytes)} of live activations, packed weights ${size(found.packedBytes)}, ` +
      `peak of the process ${size(found.peakRssBytes)}`,
    ...(found.dynamic === '' ? [] : [`not recorded: ${found.dynamic}`]),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}
