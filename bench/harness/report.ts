// Results as text: the lines of a run, tables of one file and of two.
import { memoryTable } from './memory-table.js'
import {
  allowedBytes,
  bandwidthFor,
  limitsFor,
  oursOf,
  ratiosOf,
  type KernelRow,
  type Limits,
  type ModelRow,
  type Results,
} from './results.js'
import { columns, geometricMean, markdown, showBytes, showPercent, showTime } from './statistics.js'

const plural = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`
const pair = (t: { min: number; median: number }): string => `${showTime(t.min)} / ${showTime(t.median)}`

/** What a run prints for one model and thread count. */
export function modelLines(row: ModelRow, limits: Limits | undefined): string {
  const ours = oursOf(row)
  const ratios = ratiosOf(row)
  const head =
    `${row.model}, ${plural(row.threads)}` +
    (ratios === undefined
      ? ''
      : `: ratio ${ratios.min.toFixed(2)} by minima (${ratios.minPeer}), ${ratios.median.toFixed(2)} by medians (${ratios.medianPeer})`)
  const width = Math.max(...[...Object.keys(row.engines), ...Object.keys(row.skipped)].map((name) => name.length), 6)
  const lines = Object.entries(row.engines).map(([name, t]) => {
    const difference = row.differences[name] ?? 0
    return `  ${name.padEnd(width)}  ${pair(t)}` + (difference > 0 ? `  beyond rtol 1e-3: ${difference.toExponential(1)}` : '')
  })
  const skipped = Object.entries(row.skipped).map(([name, reason]) => `  ${name.padEnd(width)}  skipped: ${reason}`)
  const gflops = row.flops / ours.min / 1e6
  const gbs = row.weightBytes / ours.min / 1e6
  const speed = [
    row.flops > 0 ? `${(row.flops / 1e9).toPrecision(3)} GFLOP, ours ${gflops.toFixed(1)} GFLOP/s` : '',
    row.flops > 0 && limits ? `${showPercent(gflops / limits.gflops)} of the peak` : '',
    `weights ${showBytes(row.weightBytes)} at ${gbs.toFixed(1)} GB/s`,
    limits ? `${showPercent(gbs / bandwidthFor(limits, row.weightBytes))} of their level of memory` : '',
  ].filter((text) => text !== '')
  const memory = Object.entries(row.memory).map(([name, m]) => {
    const arena = m.arena === undefined ? '' : `; arena ${showBytes(m.arena)}, at least ${showBytes(m.live ?? 0)}`
    const bound = allowedBytes(row.parameterBytes, m) ?? 0
    const held = m.held === undefined ? '' : `, blocks ${(m.held / bound).toFixed(2)}`
    const share = bound > 0 ? `; of weights + 1.3 live: peak above the start ${((m.peak - m.base) / bound).toFixed(2)}${held}` : ''
    const own = arena + share + (m.packed === undefined ? '' : `; packed weights ${showBytes(m.packed)}`)
    return `  memory of ${name.padEnd(width)}  peak ${showBytes(m.peak)}, ${showBytes(m.peak - m.base)} above the start, ${showBytes(m.after - m.base)} after the calls${own}`
  })
  const startUp = Object.entries(row.memory).flatMap(([name, { startUp: s }]) => {
    if (s === undefined) return []
    const optimise = s.optimise === undefined ? '' : `, optimise ${showTime(s.optimise)}`
    const all = s.load + (s.optimise ?? 0) + s.first
    return [
      `  start-up of ${name.padEnd(width)}  load ${showTime(s.load)}${optimise}, first call ${showTime(s.first)}; together ${showTime(all)}, processor ${showTime(s.processor)}`,
    ]
  })
  return [head, ...lines, ...skipped, `  ${speed.join(', ')}`, ...memory, ...startUp].join('\n')
}

/** What a run prints for one kernel. */
export function kernelLine(row: KernelRow): string {
  const share = row.floor > 0 ? `${showPercent(row.floor / row.time.min)} of the roofline` : ''
  const gflops = row.flops > 0 ? `${(row.flops / row.time.min / 1e6).toFixed(1)} GFLOP/s` : ''
  const gbs = `${(row.bytes / row.time.min / 1e6).toFixed(1)} GB/s`
  return [
    row.kernel.padEnd(34),
    pair(row.time).padStart(21),
    gflops.padStart(15),
    gbs.padStart(11),
    share.padStart(21),
    ` ${row.code}`,
  ].join(' ')
}

export function limitLine(limits: Limits): string {
  const levels = limits.read.map((l) => `${l.gbs.toFixed(0)} GB/s at ${showBytes(l.bytes)}`)
  return `${plural(limits.threads)}: ${limits.gflops.toFixed(1)} GFLOP/s of float32; reads ${levels.join(', ')}; copies ${showBytes(limits.copy.bytes)} in ${showTime(limits.copy.ms)}`
}

/** Geometric means of the ratios, by thread count. */
export function summaryLines(results: Results): string[] {
  const counts = [...new Set(results.models.map((row) => row.threads))]
  return counts.flatMap((threads) => {
    const ratios = results.models.filter((row) => row.threads === threads).flatMap((row) => ratiosOf(row) ?? [])
    if (ratios.length === 0) return []
    const means = (['min', 'median'] as const).map((key) => geometricMean(ratios.map((r) => r[key])).toFixed(2))
    return [`${plural(threads)}: geometric mean of the ratios ${means[0]} by minima, ${means[1]} by medians, of ${ratios.length} models`]
  })
}

/** A file of results as Markdown, for a page. */
export function resultTable(results: Results): string {
  const stamp = `${results.machine.cpu}, ${results.machine.isa}, ${results.date.slice(0, 10)}; ${Object.entries(results.machine.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`
  const rows = results.models.map((row) => {
    const ratios = ratiosOf(row)
    const limits = limitsFor(results, row.threads)
    const gflops = row.flops / oursOf(row).min / 1e6
    return [
      row.model,
      String(row.threads),
      pair(oursOf(row)),
      ratios ? `${showTime(row.engines[ratios.minPeer].min)} / ${showTime(row.engines[ratios.medianPeer].median)}` : '',
      ratios ? (ratios.minPeer === ratios.medianPeer ? ratios.minPeer : `${ratios.minPeer} / ${ratios.medianPeer}`) : '',
      ratios ? `${ratios.min.toFixed(2)} / ${ratios.median.toFixed(2)}` : '',
      `${gflops.toFixed(1)}${limits ? ` (${showPercent(gflops / limits.gflops)})` : ''}`,
    ]
  })
  const header = ['model', 'threads', 'ours, minimum / median', 'fastest peer', 'which', 'ratio of minima / medians', 'GFLOP/s (of peak)']
  const kernels = results.kernels.map((row) => [
    row.kernel,
    String(row.threads),
    pair(row.time),
    row.flops > 0 ? (row.flops / row.time.min / 1e6).toFixed(1) : '',
    (row.bytes / row.time.min / 1e6).toFixed(1),
    row.floor > 0 ? showPercent(row.floor / row.time.min) : '',
    row.code,
  ])
  const memory = memoryTable(results.models)
  const kernelHeader = ['kernel', 'threads', 'minimum / median', 'GFLOP/s', 'GB/s', 'of the roofline', 'code']
  return [
    stamp,
    ...(rows.length > 0 ? ['', markdown([header, ...rows]), '', ...summaryLines(results)] : []),
    ...(memory.length > 0 ? ['', markdown(memory)] : []),
    ...(kernels.length > 0 ? ['', markdown([kernelHeader, ...kernels])] : []),
  ].join('\n')
}

/** Two files side by side: the ratio of our times, above 1 where B is faster, and the ratios to the peers in each. */
export function compareTable(a: Results, b: Results): string {
  const rows: string[][] = [['', 'threads', 'A minimum', 'B minimum', 'A / B', 'A median', 'B median', 'A / B', 'A to peers', 'B to peers']]
  const factors: number[] = []
  const add = (
    name: string,
    threads: number,
    x: { min: number; median: number },
    y: { min: number; median: number },
    peers: string[],
  ): void => {
    factors.push(x.min / y.min)
    const [byMin, byMedian] = [x.min / y.min, x.median / y.median].map((f) => f.toFixed(2))
    rows.push([name, String(threads), showTime(x.min), showTime(y.min), byMin, showTime(x.median), showTime(y.median), byMedian, ...peers])
  }
  for (const row of a.models) {
    const other = b.models.find((r) => r.model === row.model && r.threads === row.threads)
    if (other !== undefined)
      add(
        row.model,
        row.threads,
        oursOf(row),
        oursOf(other),
        [row, other].map((r) => ratiosOf(r)?.min.toFixed(2) ?? ''),
      )
  }
  for (const row of a.kernels) {
    const other = b.kernels.find((r) => r.kernel === row.kernel && r.threads === row.threads)
    if (other !== undefined) add(row.kernel, row.threads, row.time, other.time, ['', ''])
  }
  const keys = (r: Results): string[] => [
    ...r.models.map((m) => `${m.model} ${m.threads}`),
    ...r.kernels.map((k) => `${k.kernel} ${k.threads}`),
  ]
  const [inA, inB] = [keys(a), keys(b)]
  const alone = [
    ...inA.filter((key) => !inB.includes(key)).map((key) => `${key}: only in A`),
    ...inB.filter((key) => !inA.includes(key)).map((key) => `${key}: only in B`),
  ]
  if (factors.length === 0) return ['Nothing is in both files.', ...alone].join('\n')
  const mean = `geometric mean of A / B by minima: ${geometricMean(factors).toFixed(3)} (above 1: B is faster)`
  const machines = [a, b].map((r, i) => `${'AB'[i]}: ${r.machine.cpu}, ${r.machine.isa}, ${r.date.slice(0, 16)}`)
  return [...machines, columns(rows), mean, ...alone].join('\n')
}
