// Files of results: what is in them, how they are written, read and checked.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Times } from './statistics.js'

/** What the machine can do, as bench/kernels/probe.cc measures it. */
export interface Limits {
  readonly threads: number
  /** Fused multiply-adds of float32 on registers. */
  readonly gflops: number
  /** Reading again and again what has this many bytes for each thread: the levels of memory, smallest first. All threads together. */
  readonly read: readonly { readonly bytes: number; readonly gbs: number }[]
  /** A pass that reads and writes this many bytes; both directions are counted. */
  readonly copy: { readonly bytes: number; readonly gbs: number; readonly ms: number }
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly platform: string
  /** Instruction set of our kernels. */
  readonly isa: string
  /** Versions of everything that was measured, and of Node. */
  readonly versions: Readonly<Record<string, string>>
}

/** Milliseconds from nothing to the first result, in a process of its own. */
export interface StartUp {
  /** Until there is a module, or a session. */
  readonly load: number
  /** Ours only: freezing and optimising. */
  readonly optimise?: number
  readonly first: number
  /** Processor time of all of it, of all threads. */
  readonly processor: number
}

/** Peak memory of a process of its own that loads a model and calls it. Bytes. */
export interface Memory {
  /** Resident before the model is loaded: the runtime, with the addon. */
  readonly base: number
  /** The most that was resident. */
  readonly peak: number
  /** Resident after the calls. */
  readonly after: number
  /** Ours only: the planner's arena and the least it could have been, results, and packed weights. */
  readonly arena?: number
  readonly live?: number
  readonly results?: number
  readonly packed?: number
  /** Ours only: the most that the executor had in blocks, and what it has after the calls. */
  readonly held?: number
  readonly kept?: number
  /** Ours only: by how much the JavaScript heap grew. */
  readonly heap?: number
  readonly startUp?: StartUp
}

/** What weights and live activations may take: weights as in the file or packed, results, and 1.3 times the planner's least. */
export const allowedBytes = (parameterBytes: number, m: Memory): number | undefined =>
  m.live === undefined ? undefined : Math.max(parameterBytes, m.packed ?? 0) + (m.results ?? 0) + 1.3 * m.live

export interface ModelRow {
  readonly model: string
  readonly threads: number
  /** Operations of products and convolutions in the program as loaded, two for each multiply-add. */
  readonly flops: number
  /** Bytes of the weights that a call reads: not embedding tables, of which it reads some rows. */
  readonly weightBytes: number
  /** Bytes of all parameters and buffers. */
  readonly parameterBytes: number
  /** Ours first, then the peers. */
  readonly engines: Readonly<Record<string, Times>>
  /** By engine: the largest amount by which a value is off beyond a relative 1e-3. */
  readonly differences: Readonly<Record<string, number>>
  /** By engine: why it was not measured. */
  readonly skipped: Readonly<Record<string, string>>
  readonly memory: Readonly<Record<string, Memory>>
}

export interface KernelRow {
  readonly kernel: string
  readonly threads: number
  readonly flops: number
  readonly bytes: number
  readonly time: Times
  /** Milliseconds that the limits of the machine allow; 0 when they were not measured. */
  readonly floor: number
  /** The code that ran. */
  readonly code: string
}

export interface Results {
  readonly format: 1
  readonly date: string
  readonly machine: Machine
  readonly limits: readonly Limits[]
  readonly models: readonly ModelRow[]
  readonly kernels: readonly KernelRow[]
}

/** Ours against the peers of one row; undefined without peers. Above 1 means that ours is faster. */
export interface Ratios {
  readonly min: number
  readonly median: number
  /** The faster peer by minimum and by median. */
  readonly minPeer: string
  readonly medianPeer: string
}

export const oursOf = (row: ModelRow): Times => row.engines[Object.keys(row.engines)[0]]
const isOurs = (engine: string): boolean => engine.startsWith('ours')

export function ratiosOf(row: ModelRow): Ratios | undefined {
  const ours = oursOf(row)
  const peers = Object.entries(row.engines).filter(([name]) => !isOurs(name))
  if (peers.length === 0) return undefined
  const least = (key: 'min' | 'median'): [string, Times] => peers.reduce((best, peer) => (peer[1][key] < best[1][key] ? peer : best))
  const [minPeer, byMin] = least('min')
  const [medianPeer, byMedian] = least('median')
  return { min: byMin.min / ours.min, median: byMedian.median / ours.median, minPeer, medianPeer }
}

/** Bandwidth of the level of memory that holds so many bytes. */
export function bandwidthFor(limits: Limits, bytes: number): number {
  const level = limits.read.find((l) => bytes <= l.bytes * limits.threads * 1.5) ?? limits.read[limits.read.length - 1]
  return level.gbs
}
export const limitsFor = (results: Results, threads: number): Limits | undefined => results.limits.find((l) => l.threads === threads)

/** The time that the limits allow, in milliseconds: arithmetic or memory, whichever takes longer. */
export const roofline = (limits: Limits, flops: number, bytes: number): number =>
  Math.max(flops / limits.gflops, bytes / bandwidthFor(limits, bytes)) / 1e6

export function writeResults(file: string, results: Results): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}

export function readResults(file: string): Results {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`Expected a file of results for \`file\` but received ${file}: ${(error as Error).message}`)
  }
  const found = parsed as Partial<Results> | null
  if (found?.format !== 1 || !Array.isArray(found.models) || !Array.isArray(found.kernels) || !Array.isArray(found.limits))
    throw new Error(`Expected a file of results of format 1 for \`file\` but received ${file}`)
  return found as Results
}
