// What `npm run gpu:check` writes, and how it is shown.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { geometricMean, markdown, showTime, type Times } from '../harness/statistics.js'

export interface Step {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly seconds: number
  /** What was counted, why it failed or why it was left out. */
  readonly detail: string
}

/** One kernel that is bound by memory: bytes that it must read and write, and its share of the rate of a copy. */
export interface BandwidthRow {
  readonly kernel: string
  readonly bytes: number
  readonly time: Times
  readonly gbs: number
  readonly ofCopy: number
}

export interface ProductRow {
  /** float32, tfloat32 (float32 rounded to ten bits), float16, bfloat16 or int8 (a quantized layer: bytes in and out). */
  readonly dtype: string
  /** `8192`, `4096x1024x1024` (rows, columns and depth), or a convolution. */
  readonly shape: string
  readonly time: Times
  readonly tflops: number
  /** PyTorch's product, which is cuBLAS's (`_int_mm` of int8). */
  readonly torchTflops?: number
  readonly skipped?: string
}

export interface GpuModelRow {
  readonly model: string
  readonly dtype: string
  readonly batch: number
  /** Ours first; a call with its inputs on the device, until its results are there. */
  readonly engines: Readonly<Record<string, Times>>
  /** Largest |difference| from the CPU's float32 result, relative to its largest value. */
  readonly differences: Readonly<Record<string, number>>
  readonly skipped: Readonly<Record<string, string>>
}

export interface GpuResults {
  readonly format: 1
  readonly date: string
  readonly device: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, string>>
  readonly steps: Step[]
  readonly bandwidth: BandwidthRow[]
  readonly products: ProductRow[]
  readonly models: GpuModelRow[]
  /** Products of halves by Hopper's own instructions and by those of the chips before it. */
  readonly wgmma?: WgmmaRow[]
}

/** One product, and how far it is from that of float32, relative to the largest element. */
export interface WgmmaRow {
  readonly dtype: string
  readonly shape: string
  readonly kernel: string
  readonly difference: number
  readonly right: boolean
  readonly tflops?: number
}

/** Whoever reads the file finds the whole of one state of it. */
export function writeGpuResults(file: string, results: GpuResults): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.part`, `${JSON.stringify(results, null, 2)}\n`)
  renameSync(`${file}.part`, file)
}

const ours = 'ours'
/** The fastest peer by minimum and how many times faster we are; undefined without one. */
export function fastestPeer(row: GpuModelRow): { name: string; ratio: number } | undefined {
  const mine = row.engines[ours] as Times | undefined
  if (mine === undefined) return undefined
  const peers = Object.entries(row.engines).filter(([name]) => name !== ours)
  if (peers.length === 0) return undefined
  const [name, times] = peers.reduce((best, peer) => (peer[1].min < best[1].min ? peer : best))
  return { name, ratio: times.min / mine.min }
}

/** The results as Markdown. */
export function gpuReport(results: GpuResults): string {
  const parts = [
    `${String(results.device.name)}, ${results.date.slice(0, 10)}, ${Object.entries(results.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    markdown([
      ['step', 'outcome', 'seconds', ''],
      ...results.steps.map((s) => [s.name, s.outcome, s.seconds.toFixed(0), s.detail.replace(/\s*\n\s*/g, '; ').replace(/\|/g, '/')]),
    ]),
  ]
  if (results.bandwidth.length > 0)
    parts.push(
      markdown([
        ['kernel', 'time', 'GB/s', 'of a copy'],
        ...results.bandwidth.map((r) => [r.kernel, showTime(r.time.min), r.gbs.toFixed(0), `${(100 * r.ofCopy).toFixed(0)} %`]),
      ]),
    )
  if (results.products.length > 0)
    parts.push(
      markdown([
        ['product', 'TFLOP/s', 'cuBLAS', 'ratio'],
        ...results.products.map((r) => [
          `${r.dtype} ${r.shape}`,
          r.skipped ?? r.tflops.toFixed(1),
          r.torchTflops?.toFixed(1) ?? '',
          r.torchTflops === undefined || r.skipped !== undefined ? '' : (r.tflops / r.torchTflops).toFixed(2),
        ]),
      ]),
    )
  if (results.wgmma !== undefined && results.wgmma.length > 0)
    parts.push(
      markdown([
        ['product', 'kernel', 'difference', 'right', 'TFLOP/s'],
        ...results.wgmma.map((r) => [
          `${r.dtype} ${r.shape}`,
          r.kernel,
          r.difference.toExponential(1),
          r.right ? 'yes' : 'NO',
          r.tflops?.toFixed(1) ?? '',
        ]),
      ]),
    )
  if (results.models.length > 0) {
    const engines = [...new Set(results.models.flatMap((r) => [...Object.keys(r.engines), ...Object.keys(r.skipped)]))]
    parts.push(
      markdown([
        ['model', 'dtype', 'batch', ...engines, 'ratio', 'difference'],
        ...results.models.map((r) => [
          r.model,
          r.dtype,
          String(r.batch),
          ...engines.map((e) => (e in r.engines ? showTime(r.engines[e].min) : e in r.skipped ? '-' : '')),
          fastestPeer(r)?.ratio.toFixed(2) ?? '',
          r.differences[ours]?.toExponential(1) ?? '',
        ]),
      ]),
    )
    const reasons = results.models.flatMap((r) => Object.entries(r.skipped).map(([e, why]) => `- ${r.model} ${r.dtype} batch ${r.batch}, ${e}: ${why}`))
    if (reasons.length > 0) parts.push(`Not measured:\n${[...new Set(reasons)].join('\n')}`)
    const half = results.models.filter((r) => r.batch === 1 && r.dtype === 'float16').flatMap((r) => fastestPeer(r)?.ratio ?? [])
    if (half.length > 0) parts.push(`Geometric mean of the ratios, float16, batch 1: ${geometricMean(half).toFixed(2)} over ${half.length} models.`)
  }
  return parts.join('\n\n')
}
