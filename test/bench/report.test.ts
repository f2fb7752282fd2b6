import t from 'tap'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareTable, kernelLine, limitLine, modelLines, resultTable, summaryLines } from '../../bench/harness/report.js'
import { bandwidthFor, ratiosOf, readResults, roofline, writeResults } from '../../bench/harness/results.js'
import { columns, geometricMean, median, showBytes, showTime, timesOf } from '../../bench/harness/statistics.js'
import { ratioChart } from '../../bench/harness/svg.js'
import { kernelRow, modelRow, results } from './samples.js'

t.test('statistics', (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.throws(() => median([]), { message: 'Expected at least one number for `list` but received none' })
  t.same(timesOf([2, 1, 4], 10), { min: 1, median: 2, calls: 30 })
  t.ok(Math.abs(geometricMean([1, 4]) - 2) < 1e-12)
  t.same([showTime(0.0054), showTime(12.345)], ['5.4 us', '12.35 ms'])
  t.same([showBytes(500), showBytes(2.5e6), showBytes(1.25e9)], ['0.5 kB', '2.5 MB', '1.25 GB'])
  t.equal(
    columns([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
    'a    bb\nccc   d',
  )
  t.end()
})

t.test('ratios are those to the faster peer, by minima and by medians', (t) => {
  const row = modelRow('m', 1, 10, { onnxruntime: 20, 'torch jit': 15 })
  t.same(ratiosOf(row), { min: 1.5, median: 22.5 / 12.5, minPeer: 'torch jit', medianPeer: 'torch jit' })
  t.equal(ratiosOf(modelRow('m', 1, 10, {})), undefined)
  t.equal(ratiosOf(modelRow('m', 1, 10, { 'ours as-loaded': 5 })), undefined, 'variants of ours are no peers')
  t.end()
})

t.test('limits', (t) => {
  const [limits] = results().limits
  t.same(
    [10e3, 300e3, 5e6, 1e9].map((bytes) => bandwidthFor(limits, bytes)),
    [200, 100, 50, 10],
  )
  t.equal(roofline(limits, 1e9, 1e3), 10, 'arithmetic bounds')
  t.equal(roofline(limits, 1e6, 1e9), 100, 'memory bounds')
  t.match(limitLine(limits), '1 thread: 100.0 GFLOP/s of float32; reads 200 GB/s at 16.0 kB')
  t.end()
})

t.test('a run prints what it measured', (t) => {
  const row = modelRow(
    'resnet18',
    1,
    50,
    { onnxruntime: 75 },
    {
      differences: { onnxruntime: 1e-4 },
      skipped: { 'torch compile': 'took longer than 300 s' },
      memory: {
        ours: { base: 50e6, peak: 150e6, after: 130e6, arena: 3e6, live: 2e6, packed: 40e6 },
        onnxruntime: { base: 60e6, peak: 200e6, after: 190e6 },
      },
    },
  )
  t.equal(
    modelLines(row, results().limits[0]),
    `resnet18, 1 thread: ratio 1.50 by minima (onnxruntime), 1.80 by medians (onnxruntime)
  ours           50.00 ms / 62.50 ms
  onnxruntime    75.00 ms / 112.50 ms  beyond rtol 1e-3: 1.0e-4
  torch compile  skipped: took longer than 300 s
  4.00 GFLOP, ours 80.0 GFLOP/s, 80 % of the peak, weights 40.0 MB at 0.8 GB/s, 8 % of their level of memory
  memory of ours           peak 150.0 MB, 100.0 MB above the start, 80.0 MB after the calls; arena 3.0 MB, at least 2.0 MB; of weights + 1.3 live: peak above the start 2.00; packed weights 40.0 MB
  memory of onnxruntime    peak 200.0 MB, 140.0 MB above the start, 130.0 MB after the calls`,
  )
  t.equal(
    modelLines(modelRow('m', 2, 0.5, {}, { flops: 0 }), undefined),
    'm, 2 threads\n  ours    500.0 us / 625.0 us\n  weights 40.0 MB at 80.0 GB/s',
  )
  t.match(kernelLine(kernelRow('gemm', 4)), /gemm +4\.00 ms \/ 8\.00 ms +50\.0 GFLOP\/s +2\.5 GB\/s +50 % of the roofline +gemm/)
  t.match(kernelLine(kernelRow('relu', 4, { flops: 0, floor: 0 })), /relu +4\.00 ms \/ 8\.00 ms +2\.5 GB\/s +gemm/)
  t.end()
})

t.test('a file as Markdown', (t) => {
  const table = resultTable(results())
  t.match(table, '| resnet18 | 1 | 50.00 ms / 62.50 ms | 75.00 ms / 112.50 ms | onnxruntime | 1.50 / 1.80 | 80.0 (80 %) |')
  t.match(table, '| resnet18 | 2 | 40.00 ms / 50.00 ms | 30.00 ms / 45.00 ms | onnxruntime | 0.75 / 0.90 | 100.0 |')
  t.match(table, '| gemm 1 | 1 | 4.00 ms / 8.00 ms | 50.0 | 2.5 | 50 % | gemm |')
  t.same(summaryLines(results()), [
    '1 thread: geometric mean of the ratios 2.45 by minima, 2.94 by medians, of 2 models',
    '2 threads: geometric mean of the ratios 0.75 by minima, 0.90 by medians, of 1 models',
  ])
  t.end()
})

t.test('two files side by side', (t) => {
  const faster = results({
    models: [modelRow('resnet18', 1, 25, { onnxruntime: 75 }), modelRow('bert', 1, 1, {})],
    kernels: [kernelRow('gemm 1', 8)],
  })
  const lines = compareTable(results(), faster).split('\n')
  t.equal(lines[0], 'A: CPU <1>, avx2, 2026-11-21T12:00')
  t.match(lines[3], /^resnet18 +1 +50\.00 ms +25\.00 ms +2\.00 +62\.50 ms +31\.25 ms +2\.00 +1\.50 +3\.00$/)
  t.match(lines[4], /^gemm 1 +1 +4\.00 ms +8\.00 ms +0\.50 +8\.00 ms +16\.00 ms +0\.50$/)
  t.match(lines[5], 'geometric mean of A / B by minima: 1.000')
  t.same(lines.slice(6), ['resnet18 2: only in A', 'mlp 1: only in A', 'bert 1: only in B'])
  t.match(compareTable(results({ models: [], kernels: [] }), faster), 'Nothing is in both files.')
  t.end()
})

t.test('the chart', (t) => {
  const svg = ratioChart(results())
  t.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 680 \d+"/)
  t.equal([...svg.matchAll(/<rect class="bar[01]" x="150"/g)].length, 3, 'a bar for each model and thread count')
  t.match(svg, 'resnet18, 2 threads: 0.75 times onnxruntime')
  t.match(svg, 'CPU &lt;1&gt;, avx2, 2026-11-21; peers: onnxruntime, torch jit')
  t.match(svg, 'prefers-color-scheme: dark')
  const open: string[] = []
  for (const [tag, name] of svg.matchAll(/<\/?(\w+)[^>]*>/g)) {
    if (tag.startsWith('</')) t.equal(open.pop(), name)
    else if (!tag.endsWith('/>')) open.push(name)
  }
  t.same(open, [], 'every element is closed')
  // The line at 1 lies where a bar of ratio 1 would end; the axis goes to 4.
  t.match(svg, `<line class="one" x1="${150 + 470 / 4}" x2="${150 + 470 / 4}"`)
  const none = ratioChart(results({ models: [modelRow('m', 1, 1, {})] }))
  t.notMatch(none, /<rect class="bar\d" x="150"/, 'no bar without peers')
  t.end()
})

t.test('files are written, read and checked', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-results-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a', 'b.json')
  writeResults(file, results())
  t.same(readResults(file), results())
  t.equal(readFileSync(file, 'utf8').at(-1), '\n')
  writeFileSync(file, '{"format": 2}')
  t.throws(() => readResults(file), { message: `Expected a file of results of format 1 for \`file\` but received ${file}` })
  writeFileSync(file, 'no')
  t.throws(() => readResults(file), { message: /^Expected a file of results for `file` but received / })
  t.end()
})
