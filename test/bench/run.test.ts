import t from 'tap'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kernels } from '../../bench/kernels.js'
import { main } from '../../bench/main.js'
import { benchModels, type ModelBenchOptions } from '../../bench/models.js'
import { burstFor, interleave, type Engine } from '../../bench/harness/interleave.js'
import { measureWork } from '../../bench/harness/ours.js'
import { readPair } from '../../bench/harness/pair.js'
import { largestDifference } from '../../bench/harness/statistics.js'
import { openTorch, TorchPeer } from '../../bench/harness/pytorch.js'
import { readResults } from '../../bench/harness/results.js'
import * as torch from '../../lib/index.js'
import { savePair } from './samples.js'

const { nn } = torch
const folder = mkdtempSync(join(tmpdir(), 'bench-'))
t.teardown(() => rmSync(folder, { recursive: true }))

class Small extends nn.Module {
  table = new nn.Embedding(100, 8)
  fc = new nn.Linear(8, 4)
  forward(ids: torch.Tensor): torch.Tensor {
    return this.fc.forward(this.table.forward(ids)).relu()
  }
}
const small = new Small().eval()
const ids = torch.tensor([1n, 2n, 3n])
savePair(folder, 'small', small, ids)

const options = (fields: Partial<ModelBenchOptions> = {}): ModelBenchOptions => ({
  folder,
  filter: '',
  threads: [1],
  seconds: 0.01,
  ours: ['optimized', 'as-loaded', 'default'],
  onnxruntime: false,
  torchModes: [],
  limit: 10,
  memory: true,
  limits: false,
  print: () => undefined,
  ...fields,
})

t.test('the harness runs a model without peers', async (t) => {
  const json = join(folder, 'results.json')
  const lines: string[] = []
  const results = await benchModels(options({ json, print: (line) => lines.push(line) }))
  t.same(readResults(json), results)
  const [row] = results.models
  t.same([row.model, row.threads, row.flops], ['small', 1, 2 * 3 * 8 * 4])
  t.equal(row.weightBytes, 4 * (8 * 4 + 4), 'a table of which some rows are read does not count')
  t.same(Object.keys(row.engines), ['ours', 'ours as-loaded', 'ours default'])
  t.ok(row.engines.ours.min > 0 && row.engines.ours.median >= row.engines.ours.min && row.engines.ours.calls >= 5)
  t.same(row.differences, { ours: 0, 'ours as-loaded': 0, 'ours default': 0 })
  t.same(Object.keys(row.memory), Object.keys(row.engines))
  const { ours } = row.memory
  t.ok(ours.peak >= ours.base && ours.peak >= ours.after && ours.base > 1e6)
  t.equal(row.parameterBytes, 4 * (100 * 8 + 8 * 4 + 4))
  t.ok(ours.live! > 0 && ours.arena! >= ours.live!)
  t.equal(results.machine.isa, torch.isa())
  t.match(lines.join('\n'), /small, 1 thread\n {2}ours /)
})

t.test('wrong folders are explained', async (t) => {
  await t.rejects(benchModels(options({ folder: join(folder, 'no') })), {
    message: /^Expected a folder of models for `--models` but received /,
  })
  await t.rejects(benchModels(options({ filter: 'large' })), { message: /^Expected models NAME.pt with NAME.io.pt in / })
  t.same(measureWork(readPair(folder, 'small')).flops, 192)
})

t.test('engines take turns', async (t) => {
  const log: string[] = []
  const engine = (name: string, ms: number): Engine => ({
    name,
    difference: 0,
    run(count) {
      log.push(`${name}${count}`)
      return ms * count
    },
    close: () => undefined,
  })
  const { times } = await interleave([engine('a', 2), engine('b', 0.25)], { seconds: 0, settle: 0, rounds: 2 })
  t.same(times, { a: { min: 2, median: 2, calls: 2 }, b: { min: 0.25, median: 0.25, calls: 8 } })
  t.same(log, ['a2', 'a1', 'b2', 'b1', 'a1', 'b1', 'b4', 'b1', 'b4', 'a1'], 'the order rotates; a burst has an untimed call before it')
  let calls = 0
  const failing: Engine = {
    ...engine('c', 1),
    run() {
      if (++calls > 3) throw new Error('it died')
      return 5
    },
  }
  const rest = await interleave([failing, engine('d', 2)], { seconds: 0, settle: 0, rounds: 3 })
  t.same(rest, { times: { d: { min: 2, median: 2, calls: 3 } }, failed: { c: 'it died' } }, 'an engine that fails is left out')
  t.same([burstFor(10), burstFor(0.1), burstFor(0)], [1, 10, 200])
})

t.test('differences beyond a relative 1e-3', (t) => {
  t.equal(largestDifference([1, 2.001], [1, 2]), 0)
  t.ok(Math.abs(largestDifference([1, 2.5], [1, 2]) - 0.498) < 1e-12)
  t.equal(largestDifference([1], [1, 2]), Infinity)
  t.ok(Number.isNaN(largestDifference([NaN], [1])))
  t.end()
})

/** A program in the place of Python that answers as torch_peer.py does, by mode. */
function fakePython(): string {
  const program = join(folder, 'python')
  const body = `
const lines = require('node:readline').createInterface({ input: process.stdin })
const say = (answer) => console.log(JSON.stringify(answer))
say({ ready: true, version: '9.9' })
lines.on('line', (line) => {
  const { command, mode, count } = JSON.parse(line)
  if (command === 'run') say({ ms: 2 * count })
  else if (mode === 'eager') say({ skipped: 'no such architecture' })
  else if (mode === 'jit') say({ difference: 0.5 })
  else if (mode === 'frozen') { console.error('Traceback\\nMemoryError: no'); process.exit(1) }
})`
  writeFileSync(join(folder, 'fake.cjs'), body)
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${join(folder, 'fake.cjs')}\n`)
  chmodSync(program, 0o755)
  return program
}

t.test('PyTorch answers, is skipped, dies and takes too long', async (t) => {
  const pair = readPair(folder, 'small')
  const peer = new TorchPeer(fakePython(), 1)
  t.teardown(() => peer.stop())
  const jit = await openTorch(peer, 'jit', pair, { threads: 1 })
  if (typeof jit === 'string') return t.fail(jit)
  t.same([jit.name, jit.difference, await jit.run(3), peer.version], ['torch jit', 0.5, 6, '9.9'])
  t.equal(await openTorch(peer, 'eager', pair, { threads: 1 }), 'no such architecture')
  t.equal(await openTorch(peer, 'frozen', pair, { threads: 1 }), 'MemoryError: no')
  t.equal(await openTorch(peer, 'compile', pair, { threads: 1 }), 'took longer than 1 s')
  const again = await openTorch(peer, 'jit', pair, { threads: 1 })
  t.not(typeof again, 'string', 'it is started again')
  const missing = new TorchPeer(join(folder, 'nothing'), 1)
  t.match(await openTorch(missing, 'jit', pair, { threads: 1 }), /ENOENT/)
})

t.test('results have the peers and why others are missing', async (t) => {
  const python = fakePython()
  const { models } = await benchModels(options({ ours: ['optimized'], memory: false, python, torchModes: ['eager', 'jit'] }))
  t.same(Object.keys(models[0].engines), ['ours', 'torch jit'])
  t.same(models[0].skipped, { 'torch eager': 'no such architecture' })
  t.equal(models[0].engines['torch jit'].min, 2)
})

t.test('the command line', async (t) => {
  const bench = async (...args: string[]): Promise<{ status: number; out: string; errors: string }> => {
    const out: string[] = []
    const errors: string[] = []
    const status = await main(
      args,
      (line) => out.push(line),
      (line) => errors.push(line),
    )
    return { status, out: out.join('\n'), errors: errors.join('\n') }
  }
  t.match((await bench('--help')).out, /^Usage: npm run bench/)
  const json = join(folder, 'kernel.json')
  const run = await bench('--kernels', '--filter', 'gemv 1x128x784', '--quick', '--json', json)
  t.same([run.status, run.errors], [0, ''])
  t.match(run.out, /gemv 1x128x784 .* us \/ .*GFLOP\/s/)
  t.equal(readResults(json).kernels[0].flops, 2 * 128 * 784)
  t.match((await bench('--compare', json, json)).out, /gemv 1x128x784 +1 .* 1\.00 /)
  t.match((await bench('--table', json)).out, '| gemv 1x128x784 | 1 |')
  const svg = join(folder, 'ratios.svg')
  t.equal((await bench('--svg', join(folder, 'results.json'), '--output', svg)).status, 0)
  t.match(readFileSync(svg, 'utf8'), /^<svg /)
  t.same(await bench('--compare', json), { status: 1, out: '', errors: 'bench: Expected 2 files for `--compare` but received 1' })
  const refusal = async (...args: string[]): Promise<string> => (await bench(...args)).errors
  t.equal(await refusal('--torch', 'fast'), 'bench: Expected some of eager, jit, frozen, compile for `--torch` but received fast')
  t.match(await refusal('--ours', 'fast'), /^bench: Expected some of optimized, as-loaded, .* for `--ours` but received fast$/)
  t.equal(await refusal('--threads', '0'), 'bench: Expected a positive number for `--threads` but received 0')
  t.match(await refusal('--kernels', '--filter', 'nothing', '--quick'), "bench: Expected a part of a kernel's name for `--filter`")
})

t.test('kernels have names of their own', (t) => {
  t.equal(new Set(kernels.map((kernel) => kernel.name)).size, kernels.length)
  t.end()
})
