import t from 'tap'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as torch from '../../lib/index.js'

const bin = 'dist/cli.mjs'
const model = 'examples/digits/mnist_cnn_traced.pt'
const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' })

t.test('run reads and writes npy and npz', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const input = torch.tensor(
    Float32Array.from({ length: 2 * 784 }, (_, i) => (i % 7) / 7),
    { shape: [2, 1, 28, 28] },
  )
  const [x, y, z] = ['x.npy', 'y.npy', 'z.npz'].map((name) => join(folder, name))
  torch.saveNpy(x, input)
  const want = (torch.jit.load(model).forward(input) as torch.Tensor).toArray()
  t.equal(run('run', model, '--input', x, '--output', y, '--threads', '1').status, 0)
  t.same(torch.loadNpy(y).toArray(), want)
  t.equal(run('run', model, '--input', x, '--output', z, '--method', 'forward').status, 0)
  t.same(torch.loadNpz(z).output.toArray(), want)
  const again = run('run', model, '--input', x, '--json')
  t.same((JSON.parse(again.stdout) as { data: unknown }).data, want)
  t.equal(run('run', model, '--input', `${z}:output`).stderr.startsWith('torchscript: '), true, 'a wrong shape is an error of the operator')
  t.end()
})

t.test('run takes numbers, and profiles', (t) => {
  const speech = run('run', 'examples/speech/silero_vad.pt', '--input', 'zeros:1,512', '--input', 'int:16000', '--json')
  t.same((JSON.parse(speech.stdout) as { shape: number[] }).shape, [1, 1])
  const wrong = run('run', 'examples/speech/silero_vad.pt', '--input', 'zeros:1,512', '--input', 'int:44100')
  t.equal(wrong.status, 1)
  t.match(wrong.stderr, 'ValueError')
  const profiled = run('run', model, '--input', 'random:1,1,28,28', '--profile', '--repeat', '3')
  t.match(profiled.stdout, /Name +Kernel +CPU % +CPU total +CPU time avg +# of Calls +GFLOP\/s +GB\/s/)
  t.match(profiled.stdout, /aten::linear .* 4 /, 'two calls, without the first one, of two layers')
  t.end()
})

t.test('run writes a trace of the optimised model', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const trace = join(folder, 'trace.json')
  const done = run('run', model, '--input', 'random:1,1,28,28', '--optimize', '--trace', trace, '--repeat', '2', '--json')
  t.equal(done.status, 0)
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { ph: string; name: string }[] }
  t.ok(traceEvents.some((e) => e.ph === 'X' && e.name === 'torchscript::convolution_epilogue'))
  t.end()
})

t.test('bench measures a model', (t) => {
  const text = run('bench', model, '--shape', '1,1,28,28', '--threads', '1', '--seconds', '0.05')
  t.equal(text.stderr, '')
  t.match(text.stdout, /1 thread\n/)
  t.match(text.stdout, /time +\S+ [um]s minimum, \S+ [um]s median of \d+ calls\n/)
  t.match(text.stdout, /GFLOP a call/)
  const json = JSON.parse(run('bench', model, '--input', 'zeros:2,1,28,28', '--as-loaded', '--seconds', '0.05', '--json').stdout) as {
    flops: number
    optimized: boolean
    arenaBytes: number
    liveBytes: number
  }
  t.equal(json.optimized, false)
  t.ok(json.liveBytes > 0 && json.arenaBytes >= json.liveBytes)
  // Two images: two 3x3 convolutions, 1-32 at 28x28 and 32-64 at 14x14, then linear 3136-128 and 128-10.
  t.equal(json.flops, 2 * 2 * (32 * 9 * 784 + 64 * 32 * 9 * 196 + 3136 * 128 + 128 * 10))
  t.match(run('bench', model, '--shape', 'x').stderr, 'torchscript: Expected a shape such as 1,3,224,224 for `--shape` but received x')
  t.match(run('bench', model, '--shape', '1', '--input', 'int:1').stderr, 'Expected --shape or --input')
  t.end()
})

t.test('inspect says what is in a file', (t) => {
  const text = run('inspect', model, '--code', '--graph')
  t.equal(text.status, 0)
  t.match(text.stdout, 'forward(x: Tensor) -> Tensor')
  t.match(text.stdout, 'All operators are supported.')
  t.match(text.stdout, 'def forward(self: __torch__.SimpleCNN')
  t.match(text.stdout, 'graph(%self')
  const json = JSON.parse(run('inspect', model, '--json').stdout) as torch.Inspection
  t.equal(json.parameters, 421642)
  t.ok(json.operators.every((o) => o.supported))
  t.end()
})

t.test('plan writes a plan file, or says why it cannot', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const output = join(folder, 'model.tsplan')
  for (let i = 0; i < 2; i++) t.same([run('plan', model, '--output', output).status, readdirSync(folder)], [0, ['model.tsplan']])
  t.equal(readFileSync(output).toString('latin1', 0, 4), 'TSPF')
  t.equal(run('plan', model).stderr, 'torchscript: Expected the file to write for `--output` but received none\n')
  const nowhere = run('plan', model, '-o', join(folder, 'no', 'model.tsplan'))
  t.equal(nowhere.status, 1)
  t.match(nowhere.stderr, /^torchscript: Expected a file that can be written for `path` but received /)
  t.end()
})

t.test('wrong use is explained', (t) => {
  t.same(
    [run('walk').status, run('walk').stderr],
    [2, 'torchscript: Expected run, inspect, optimize, bench or plan for the command but received walk\n'],
  )
  t.equal(run('run').stderr, 'torchscript: Expected one model file for run but received 0\n')
  t.match(run('run', 'no-such-file.pt').stderr, /no-such-file\.pt/)
  t.equal(run('run', model, '--input', 'int:abc').stderr, 'torchscript: Expected an integer for `--input` but received abc\n')
  t.equal(run('run', model, '--threads', '0').stderr, 'torchscript: Expected a positive integer for `--threads` but received 0\n')
  t.match(run('--help').stdout, 'Usage: torchscript <command>')
  t.end()
})

t.test('the examples give what PyTorch gave', (t) => {
  for (const flags of [[], ['--scripted']]) {
    const out = execFileSync(process.execPath, ['examples/digits/digits.mjs', ...flags], { encoding: 'utf8' })
    t.match(out, 'accuracy 97.55 %')
    t.match(out, "2000 predictions equal PyTorch's")
    t.ok(Number(/largest difference of a logit (\S+)/.exec(out)![1]) < 1e-4)
  }
  const speech = execFileSync(process.execPath, ['examples/speech/speech.mjs'], { encoding: 'utf8' })
  const [, chunks, worst] = /(\d+) chunks, largest difference from PyTorch (\S+)/.exec(speech)!
  t.equal(chunks, '400')
  t.ok(Number(worst) < 1e-4, worst)
  t.match(speech, /speech from \d+\.\d+ s to/)
  t.end()
})

t.test('inspect shows what runs', (t) => {
  const graph = run('inspect', model, '--optimized')
  t.equal(graph.status, 0)
  t.match(graph.stdout, /^graph\(.*torchscript::convolution_epilogue/s)
  const explained = run('inspect', model, '--optimized', '--explain', '--shape', '2,1,28,28', '--threads', '1')
  t.equal(explained.stderr, '')
  t.match(explained.stdout, /^\(float32\[2, 1, 28, 28\]\) on \w+, 1 thread: \d+ steps, arena \d/)
  t.match(explained.stdout, /-> convolution_epilogue \w+ *\w* {2}float32\[2, 1, 28, 28\], .* -> float32\[2, 32, 28, 28\]/)
  t.match(explained.stdout, 'fused (fuse-epilogues): does relu on its results in registers')
  const { nodes } = JSON.parse(run('inspect', model, '--explain', '--shape', '1,1,28,28', '--json').stdout) as {
    nodes: { kind: string }[]
  }
  t.ok(nodes.some((node) => node.kind === 'torchscript::linear_epilogue'))
  const without = run('inspect', model, '--explain')
  t.equal(without.status, 1)
  t.equal(
    without.stderr,
    'torchscript: Expected the arguments of a call for `--explain`, as --shape 1,3,224,224 or --input, but received none\n',
  )
  t.end()
})

t.test('optimize writes a frozen archive', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'torchscript-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const output = join(folder, 'fast.pt')
  const done = run('optimize', model, '--output', output)
  t.equal(done.stderr, '')
  t.match(done.stdout, /fast\.pt: 1\.7 MB, from 1\.7 MB\n$/)
  const [before, after] = [torch.jit.load(model).eval(), torch.jit.load(output)]
  const x = torch.randn([2, 1, 28, 28])
  t.ok(torch.allclose(after.forward(x) as torch.Tensor, before.forward(x) as torch.Tensor, { rtol: 1e-5, atol: 1e-6 }))
  t.notMatch(after.graph, /torchscript::|prim::GetAttr|aten::dropout/, 'operators of PyTorch only')
  t.equal(run('optimize', model).status, 2)
  t.end()
})
