// Times models beside onnxruntime-node and PyTorch, interleaved: see docs/benchmarks.md, or `npm run bench -- --help`.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspectArchive, isa } from '../lib/index.js'
import { interleave, type Engine } from './harness/interleave.js'
import { describeMachine, measureLimits } from './harness/machine.js'
import { memoryOf } from './harness/memory.js'
import { memoryTable, type MemoryRow } from './harness/memory-table.js'
import { findOnnxRuntime, openOnnxRuntime } from './harness/onnxruntime.js'
import { measureWork, openOurs } from './harness/ours.js'
import { namesIn, readPair, type Pair } from './harness/pair.js'
import { nameOf, type Variant } from './harness/prepare.js'
import { openTorch, TorchPeer, type TorchMode } from './harness/pytorch.js'
import { limitLine, modelLines, summaryLines } from './harness/report.js'
import { columns } from './harness/statistics.js'
import { writeResults, type Limits, type Memory, type ModelRow, type Results } from './harness/results.js'

export const defaultFolder = resolve('bench/models/out')

export interface ModelBenchOptions {
  readonly folder: string
  /** Parts of names, separated by commas; empty for all. */
  readonly filter: string
  readonly threads: readonly number[]
  readonly seconds: number
  /** Variants of ours; the ratios are of the first. */
  readonly ours: readonly Variant[]
  readonly onnxruntime: boolean
  readonly torchModes: readonly TorchMode[]
  readonly python?: string
  /** Seconds that a command to PyTorch may take: compiling is the long one. */
  readonly limit: number
  readonly memory: boolean
  readonly limits: boolean
  /** Where the results go; none: nowhere. */
  readonly json?: string
  readonly print: (text: string) => void
}

/** Threads of engines may poll for work this long after a call: onnxruntime's longest. */
const settleMs = 30

export function measureAllLimits(threads: readonly number[], print: (text: string) => void): Limits[] {
  const found: Limits[] = []
  for (const count of threads) {
    const limits = measureLimits(isa(), count)
    if (typeof limits === 'string') {
      print(limits)
      return found
    }
    found.push(limits)
    print(limitLine(limits))
  }
  return found
}

export async function benchModels(options: ModelBenchOptions): Promise<Results> {
  const { print } = options
  if (!existsSync(options.folder)) throw new Error(`Expected a folder of models for \`--models\` but received ${options.folder}`)
  const names = namesIn(options.folder, options.filter)
  if (names.length === 0) throw new Error(`Expected models NAME.pt with NAME.io.pt in ${options.folder} but found none`)
  const versions: Record<string, string> = {}
  const peers = new Map<TorchMode, TorchPeer>()
  const unavailable: Record<string, string> = {}

  const ort = options.onnxruntime ? findOnnxRuntime() : ''
  if (typeof ort !== 'string') versions['onnxruntime-node'] = ort.version
  else if (ort !== '') unavailable.onnxruntime = ort
  for (const mode of options.torchModes) {
    if (options.python === undefined) break
    const peer = new TorchPeer(options.python, options.limit)
    const failed = await peer.start()
    if (failed !== undefined) unavailable[`torch ${mode}`] = failed
    else {
      versions.torch = peer.version
      peers.set(mode, peer)
    }
  }
  const machine = describeMachine(versions)
  print(
    `${machine.cpu}, ${machine.isa}, ${Object.entries(machine.versions)
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')}`,
  )
  for (const [name, reason] of Object.entries(unavailable)) print(`${name} is left out: ${reason}`)
  const limits = options.limits ? measureAllLimits(options.threads, print) : []

  const openAll = async (pair: Pair, threads: number): Promise<{ engines: Engine[]; skipped: Record<string, string> }> => {
    const engines: Engine[] = options.ours.map((variant) => openOurs(pair, variant, threads))
    const skipped: Record<string, string> = {}
    const add = (name: string, opened: Engine | string): void => {
      if (typeof opened === 'string') skipped[name] = opened
      else engines.push(opened)
    }
    if (typeof ort !== 'string') add('onnxruntime', await openOnnxRuntime(ort, pair, threads))
    for (const [mode, peer] of peers) add(`torch ${mode}`, await openTorch(peer, mode, pair, { threads }))
    return { engines, skipped }
  }

  const rows: ModelRow[] = []
  const date = new Date().toISOString()
  const soFar = (): Results => ({ format: 1, date, machine, limits, models: rows, kernels: [] })
  try {
    for (const name of names) {
      const pair = readPair(options.folder, name)
      const work = measureWork(pair)
      for (const threads of options.threads) {
        const { engines, skipped } = await openAll(pair, threads)
        const { times, failed } = await interleave(engines, { seconds: options.seconds, settle: threads > 1 ? settleMs : 0, rounds: 5 })
        for (const engine of engines) await engine.close()
        // The ratios are of the first of ours.
        const [first] = engines
        if (first.name in failed) throw new Error(`${name}: ${failed[first.name]}`)
        const memory: Record<string, Memory> = {}
        if (options.memory && threads === options.threads[0]) {
          for (const engine of engines) {
            if (engine.name in failed) continue
            const found = await memoryOf(engine.name, pair, threads, options.python)
            if (found !== undefined) memory[engine.name] = found
          }
        }
        const differences = Object.fromEntries(engines.map((engine) => [engine.name, engine.difference]))
        const row: ModelRow = { model: name, threads, ...work, engines: times, differences, skipped: { ...skipped, ...failed }, memory }
        rows.push(row)
        // A run that is interrupted keeps what it has.
        if (options.json !== undefined) writeResults(options.json, soFar())
        print(
          modelLines(
            row,
            limits.find((l) => l.threads === threads),
          ),
        )
      }
    }
  } finally {
    for (const peer of peers.values()) peer.stop()
  }
  const results = soFar()
  for (const line of summaryLines(results)) print(line)
  const table = memoryTable(rows)
  if (table.length > 0) print(columns(table))
  if (options.json !== undefined) print(`written: ${options.json}`)
  return results
}

/** Memory alone, without timing. */
export async function benchMemory(
  options: Pick<ModelBenchOptions, 'folder' | 'filter' | 'threads' | 'ours' | 'onnxruntime' | 'torchModes' | 'python' | 'print'>,
): Promise<MemoryRow[]> {
  const { folder, python, print } = options
  const engines = [
    nameOf(options.ours[0]),
    ...(options.onnxruntime && typeof findOnnxRuntime() !== 'string' ? ['onnxruntime'] : []),
    ...(python === undefined ? [] : options.torchModes.map((mode) => `torch ${mode}`)),
  ]
  const rows: MemoryRow[] = []
  for (const model of namesIn(folder, options.filter)) {
    const pair = readPair(folder, model)
    const memory: Record<string, Memory> = {}
    for (const engine of engines) {
      const found = await memoryOf(engine, pair, options.threads[0], python)
      if (found !== undefined) memory[engine] = found
    }
    rows.push({ model, parameterBytes: inspectArchive(join(folder, `${model}.pt`)).parameterBytes, memory })
  }
  print(columns(memoryTable(rows)))
  return rows
}

// Models alone, with the options of `npm run bench`.
if (process.argv[1] === fileURLToPath(import.meta.url))
  void import('./main.js').then(async ({ main }) => (process.exitCode = await main(['--no-kernels', ...process.argv.slice(2)])))
