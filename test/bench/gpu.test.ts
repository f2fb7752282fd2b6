import '../cuda/emulated.js'
import t from 'tap'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gpuCheck } from '../../bench/gpu/check.js'
import { relativeDifference } from '../../bench/gpu/models.js'
import { fastestPeer, gpuReport, type GpuModelRow, type GpuResults } from '../../bench/gpu/results.js'
import * as torch from '../../lib/index.js'
import { savePair } from './samples.js'

const folder = mkdtempSync(join(tmpdir(), 'gpu-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const times = (min: number): { min: number; median: number; calls: number } => ({ min, median: min, calls: 1 })

t.test('on the emulated driver the check measures and compares', async (t) => {
  const { nn } = torch
  const model = new nn.Sequential(new nn.Linear(8, 4), new nn.ReLU()).eval()
  const x = torch.randn([2, 8])
  savePair(folder, 'small', model, x)
  const json = join(folder, 'results.json')
  const lines: string[] = []
  const args = ['--emulated', '--models', folder, '--kits', folder, '--steps', 'kits,bandwidth,products,models,wgmma,batches', '--json', json]
  t.equal(await gpuCheck(args, (line) => lines.push(line)), 0, lines.join('\n'))
  const results = JSON.parse(readFileSync(json, 'utf8')) as GpuResults
  t.same(
    results.steps.map((s) => [s.name, s.outcome]),
    [
      ['device', 'passed'],
      ['wgmma', 'passed'],
      ['wgmma is right', 'skipped'],
      ['products', 'passed'],
      ['models', 'passed'],
      ['kit modules', 'skipped'],
      ['kit zoo', 'skipped'],
      ['bandwidth', 'passed'],
      ['batches', 'passed'],
    ],
  )
  t.equal(results.device.name, 'Emulated GPU 0')
  t.equal(results.bandwidth.length, 20)
  t.same(
    results.products.filter((r) => r.shape === '32').map((r) => [r.dtype, r.skipped]),
    ['float16', 'int8', 'bfloat16', 'tfloat32', 'float32'].map((dtype) => [dtype, undefined]),
  )
  t.same(
    results.products.filter((r) => r.skipped !== undefined),
    [],
  )
  t.equal(results.products.filter((r) => r.shape.startsWith('conv')).length, 1)
  t.ok(results.wgmma?.every((r) => r.right && r.kernel.startsWith('gemm')))
  const [row, second] = results.models
  t.equal(second.batch, 2)
  t.same([row.model, row.dtype, row.batch, Object.keys(row.engines), row.skipped], ['small', 'float32', 1, ['ours'], {}])
  t.ok(row.differences.ours < 1e-5, `difference ${row.differences.ours}`)
  // Nothing is begun when too little time is left.
  t.equal(await gpuCheck(['--emulated', '--steps', 'models', '--seconds', '1', '--json', json], () => undefined), 0)
  t.same((JSON.parse(readFileSync(json, 'utf8')) as GpuResults).steps.map((s) => [s.name, s.detail]), [['device', 'the time was over']])
  await t.rejects(gpuCheck(['--seconds', 'few'], () => undefined), /Expected a number of seconds for `--seconds` but received few/)
  await t.rejects(gpuCheck(['--steps', 'build,nothing'], () => undefined), /Expected some of build, wgmma.* for `--steps` but received nothing/)
})

t.test('a model that cannot run, and one with peers, in the report', (t) => {
  const rows: GpuModelRow[] = [
    { model: 'a', dtype: 'float16', batch: 1, engines: { ours: times(1), 'torch jit': times(3), 'torch compile': times(2) }, differences: { ours: 1e-3 }, skipped: {} },
    { model: 'b', dtype: 'float16', batch: 1, engines: { 'torch jit': times(3) }, differences: {}, skipped: { ours: 'no CUDA kernel for aten::x' } },
  ]
  t.same(fastestPeer(rows[0]), { name: 'torch compile', ratio: 2 })
  t.equal(fastestPeer(rows[1]), undefined)
  const text = gpuReport({
    format: 1,
    date: '2026-11-21T00:00:00Z',
    device: { name: 'GPU' },
    versions: { node: '20' },
    steps: [{ name: 'tests', outcome: 'failed', seconds: 3, detail: 'one\n two | three' }],
    bandwidth: [{ kernel: 'copy', bytes: 8e9, time: times(2), gbs: 4000, ofCopy: 1 }],
    products: [{ dtype: 'float16', shape: '8192', time: times(2), tflops: 600, torchTflops: 800 }],
    models: rows,
    wgmma: [{ dtype: 'float16', shape: '64x64x64', kernel: 'gemm_wgmma_f16_128x128', difference: 1e-4, right: true, tflops: 500 }],
  })
  for (const line of [
    'GPU, 2026-11-21, node 20',
    '| tests | failed | 3 | one; two / three |',
    '| copy | 2.00 ms | 4000 | 100 % |',
    '| float16 8192 | 600.0 | 800.0 | 0.75 |',
    '| float16 64x64x64 | gemm_wgmma_f16_128x128 | 1.0e-4 | yes | 500.0 |',
    '| a | float16 | 1 | 1.00 ms | 3.00 ms | 2.00 ms | 2.00 | 1.0e-3 |',
    '| b | float16 | 1 | - | 3.00 ms |  |  |  |',
    '- b float16 batch 1, ours: no CUDA kernel for aten::x',
    'Geometric mean of the ratios, float16, batch 1: 2.00 over 1 models.',
  ])
    t.ok(text.split('\n').includes(line), `${line}\n${text}`)
  t.end()
})

t.test('differences are relative to the largest value, and NaN is seen', (t) => {
  t.equal(relativeDifference(torch.tensor([1, 4.5]), torch.tensor([1, 4])), 0.125)
  t.ok(Number.isNaN(relativeDifference(torch.tensor([NaN, 4]), torch.tensor([1, 4]))))
  t.equal(relativeDifference(torch.tensor([1]), torch.tensor([1, 4])), Infinity)
  t.end()
})
