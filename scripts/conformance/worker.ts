// Runs one case after another for scripts/conformance.ts, which starts a new process when this one dies.
import { dirname, join } from 'node:path'
import { loadObject } from '../../lib/archive/load.js'
import type { PickleValue } from '../../lib/archive/values.js'
import * as torch from '../../lib/index.js'
import { compare, Difference, onCpu, type Tolerance } from './compare.js'
import { field, numberOf, toArgument } from './expected.js'

/** What the parent sends. */
export interface Job {
  readonly name: string
  readonly model: string
  readonly io: string
}

/** What it gets back. */
export interface Outcome {
  readonly name: string
  readonly ok: boolean
  /** Failures with the same category are counted together. */
  readonly category?: string
  readonly reason?: string
  readonly milliseconds: number
}

interface Call {
  readonly method: string
  readonly inputs: readonly PickleValue[]
  readonly kwargs: PickleValue | undefined
  readonly expected: PickleValue
}

const items = (value: PickleValue | undefined): readonly PickleValue[] =>
  value?.kind === 'tuple' || value?.kind === 'list' ? value.items : []
const none: PickleValue = { kind: 'none' }

function callsOf(io: PickleValue): Call[] {
  const calls = items(field(io, 'calls')).map((call) => {
    const method = field(call, 'method')
    return {
      method: method?.kind === 'string' ? method.value : 'forward',
      inputs: items(field(call, 'inputs')),
      kwargs: field(call, 'kwargs'),
      expected: field(call, 'expected') ?? none,
    }
  })
  if (calls.length > 0) return calls
  return [{ method: 'forward', inputs: items(field(io, 'inputs')), kwargs: undefined, expected: field(io, 'expected') ?? none }]
}

function runCall(module: torch.jit.ScriptModule, call: Call, tolerance: Tolerance, where: string): void {
  const args = call.inputs.map((input) => placed(toArgument(input)))
  if (call.kwargs?.kind === 'dict' && call.kwargs.entries.length > 0) {
    args.push(
      torch.kwargs(Object.fromEntries(call.kwargs.entries.map(([key, value]) => [String(toArgument(key)), placed(toArgument(value))]))),
    )
  }
  const raises = call.expected.kind === 'dict' ? field(call.expected, '__raises__') : undefined
  if (raises === undefined) {
    const result = module.run(call.method, ...args)
    compare(device === undefined ? result : onCpu(result), call.expected, tolerance, where)
    return
  }
  let result: unknown
  try {
    result = module.run(call.method, ...args)
  } catch (error) {
    if (error instanceof torch.UnsupportedError || error instanceof torch.InvariantError || !(error instanceof torch.TorchScriptError))
      throw error
    return
  }
  throw new Difference(
    'did not raise',
    `${where}: expected ${raises.kind === 'string' ? raises.value : 'an error'} but received ${typeof result}`,
  )
}

/** CONFORMANCE_RUNS=3 repeats the calls of each case, which then replay recorded schedules; cases that keep state differ then. */
const rounds = Number(process.env.CONFORMANCE_RUNS ?? 1)

/** CONFORMANCE_DEVICE=cuda moves modules and tensor arguments to a device. */
const device = process.env.CONFORMANCE_DEVICE

/** A value with every tensor in it on the device. */
function placed(value: unknown): unknown {
  if (device === undefined) return value
  if (value instanceof torch.Tensor) return value.to(device)
  if (Array.isArray(value)) return value.map(placed)
  return value instanceof Map ? new Map([...value].map(([key, item]) => [key as unknown, placed(item)])) : value
}

/** CONFORMANCE_OPTIMIZE=1 runs modules whose only method is forward frozen and optimised. */
const optimizes = process.env.CONFORMANCE_OPTIMIZE === '1'

function runModel(path: string, io: PickleValue, tolerance: Tolerance): void {
  const wantedFiles = field(io, 'extra_files')
  const extraFiles: Record<string, unknown> = {}
  if (wantedFiles?.kind === 'dict') for (const [key] of wantedFiles.entries) extraFiles[String(toArgument(key))] = ''
  const loaded = torch.jit.load(path, wantedFiles === undefined ? {} : { extraFiles })
  const fits =
    optimizes && callsOf(io).every((call) => call.method === 'forward') && !(loaded.hasMember('training') && loaded.training === true)
  const module = fits ? torch.jit.optimizeForInference(loaded) : loaded
  if (device !== undefined) module.to(device)
  try {
    for (let round = 0; round < rounds; round++) {
      callsOf(io).forEach((call, i, all) =>
        runCall(module, call, tolerance, (round > 0 ? `round ${round} ` : '') + (all.length > 1 ? `call ${i} ${call.method}` : 'result')),
      )
    }
    if (wantedFiles !== undefined) compare(new Map(Object.entries(extraFiles)), wantedFiles, tolerance, 'extra files')
  } finally {
    module.dispose()
  }
}

function runCase(job: Job): void {
  // What cases before this one drew does not matter.
  torch.manualSeed(0)
  const io = loadObject(job.io)
  const tolerance: Tolerance = {
    rtol: numberOf(field(io, 'rtol') ?? { kind: 'float', value: 1.3e-6 }),
    atol: numberOf(field(io, 'atol') ?? { kind: 'float', value: 1e-5 }),
    fragile: field(io, 'fragile') !== undefined && toArgument(field(io, 'fragile')!) === true,
  }
  runModel(job.model, io, tolerance)
  for (const also of items(field(io, 'also'))) {
    const name = String(toArgument(also))
    const path = join(dirname(job.model), name)
    if (name.endsWith('.ptl')) runModel(path, io, tolerance)
    else compare(torch.load(path), field(io, 'state_dict') ?? none, tolerance, name)
  }
}

/** Numbers that differ from case to case do not make another category. */
const general = (text: string): string =>
  text
    .split('\n')[0]
    .replace(/\d+(\.\d+)?(e[+-]?\d+)?/g, 'N')
    .slice(0, 160)

function failure(error: unknown): { category: string; reason: string } {
  if (error instanceof Difference) return { category: error.category, reason: error.message }
  if (!(error instanceof Error)) return { category: 'thrown', reason: String(error) }
  const script = error as Error & { scriptMessage?: string }
  const message = (script.scriptMessage ?? error.message).replace(/\s*\n\s*/g, ' | ').slice(0, 400)
  const first = (script.scriptMessage ?? error.message).split('\n')[0]
  const operator = /\b(?:[a-z_]\w*)::\w+(?:\.\w+)?/.exec(first)?.[0]
  const label = error instanceof torch.TorchScriptError ? error.name : `${error.name} (not an error of the package)`
  const lacking = /^(\S+) has no CUDA kernel for (.*?) \(row (\w+)\)/.exec(first)
  if (lacking !== null) return { category: `no CUDA kernel: ${lacking[3]}`, reason: message }
  if (error instanceof torch.UnsupportedError && operator !== undefined) return { category: `unsupported: ${operator}`, reason: message }
  return { category: `${label}: ${general(first)}`, reason: message }
}

if (process.send !== undefined) {
  torch.onPrint(() => {})
  torch.onWarn(() => {})
  process.on('message', (job: Job) => {
    const start = performance.now()
    let outcome: Outcome
    try {
      runCase(job)
      outcome = { name: job.name, ok: true, milliseconds: performance.now() - start }
    } catch (error) {
      outcome = { name: job.name, ok: false, ...failure(error), milliseconds: performance.now() - start }
    }
    process.send!(outcome)
  })
  process.on('disconnect', () => process.exit(0))
}
