// The ratios of a file of results as bars, an image for a page; readable on light and dark.
import { ratiosOf, type Results } from './results.js'

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

const left = 150
const plot = 470
const right = 60
const top = 58
const barHeight = 14
const groupGap = 12

/** Bars of the ratios by minima: one group for each model, one bar for each thread count, and a line at 1. */
export function ratioChart(results: Results): string {
  const models = [...new Set(results.models.map((row) => row.model))]
  const counts = [...new Set(results.models.map((row) => row.threads))].sort((a, b) => a - b)
  const bars = models.map((model) =>
    counts.flatMap((threads) => {
      const row = results.models.find((r) => r.model === model && r.threads === threads)
      const ratio = row && ratiosOf(row)
      return ratio ? [{ threads, ratio: ratio.min, peer: ratio.minPeer }] : []
    }),
  )
  const largest = Math.max(1.2, ...bars.flat().map((bar) => bar.ratio))
  const step = largest > 4 ? 1 : 0.5
  const end = Math.ceil(largest / step) * step
  const x = (value: number): number => Math.round((left + (plot * value) / end) * 10) / 10
  const height = (count: number): number => Math.max(1, count) * barHeight + groupGap
  const bottom = top + bars.reduce((sum, group) => sum + height(group.length), 0)
  const width = left + plot + right
  const lines: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 42}" width="${width}" height="${bottom + 42}" role="img" aria-label="Speed of torchscript-node relative to the fastest peer, by model">`,
    '<style>',
    'text { font: 12px system-ui, sans-serif; fill: #1f2328 } .quiet { fill: #656d76 } .grid { stroke: #d0d7de } .one { stroke: #1f2328; stroke-width: 1.5 }',
    '.bar0 { fill: #2563eb } .bar1 { fill: #7aa7f5 } .bar2 { fill: #b7cff9 } .title { font-weight: 600; font-size: 14px }',
    '@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #e6edf3 } .bar0 { fill: #4c8dff } .bar1 { fill: #2f5fae } .bar2 { fill: #274472 } }',
    '</style>',
    '<text class="title" x="10" y="20">Speed relative to the fastest peer (higher is better)</text>',
  ]
  counts.forEach((threads, i) => {
    const at = 10 + i * 110
    lines.push(`<rect class="bar${Math.min(i, 2)}" x="${at}" y="31" width="12" height="12" rx="2"/>`)
    lines.push(`<text class="quiet" x="${at + 18}" y="41">${threads} ${threads === 1 ? 'thread' : 'threads'}</text>`)
  })
  for (let value = 0; value <= end + 1e-9; value += step) {
    const at = x(value)
    lines.push(`<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>`)
    lines.push(`<text class="quiet" x="${at}" y="${bottom + 16}" text-anchor="middle">${Number(value.toFixed(1))}</text>`)
  }
  let y = top
  models.forEach((model, m) => {
    const group = bars[m]
    const middle = y + groupGap / 2 + (Math.max(1, group.length) * barHeight) / 2
    lines.push(`<text x="${left - 10}" y="${middle + 4}" text-anchor="end">${escape(model)}</text>`)
    group.forEach((bar, i) => {
      const at = y + groupGap / 2 + i * barHeight
      lines.push(
        `<rect class="bar${Math.min(counts.indexOf(bar.threads), 2)}" x="${left}" y="${at + 1}" width="${Math.round((x(bar.ratio) - left) * 10) / 10}" height="${barHeight - 2}" rx="2"><title>${escape(`${model}, ${bar.threads} threads: ${bar.ratio.toFixed(2)} times ${bar.peer}`)}</title></rect>`,
      )
      lines.push(`<text class="quiet" x="${x(bar.ratio) + 5}" y="${at + barHeight / 2 + 4}">${bar.ratio.toFixed(2)}</text>`)
    })
    y += height(group.length)
  })
  lines.push(`<line class="one" x1="${x(1)}" x2="${x(1)}" y1="${top - 4}" y2="${bottom}"/>`)
  const peers = [...new Set(results.models.flatMap((row) => Object.keys(row.engines)))].filter((name) => !name.startsWith('ours'))
  lines.push(
    `<text class="quiet" x="10" y="${bottom + 34}">${escape(`${results.machine.cpu}, ${results.machine.isa}, ${results.date.slice(0, 10)}${peers.length > 0 ? `; peers: ${peers.join(', ')}` : ''}; minima of interleaved runs`)}</text>`,
    '</svg>',
  )
  return `${lines.join('\n')}\n`
}
