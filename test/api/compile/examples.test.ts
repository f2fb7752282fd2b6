import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { SimpleCNN } from '../../../examples/deploy/deploy.js'
import { GPT2 } from '../../../examples/gpt2/gpt2.js'
import { Branch } from '../../../examples/models/branch.js'
import { CNN } from '../../../examples/models/cnn.js'
import { MonteCarlo } from '../../../examples/models/dropout-flag.js'
import { Scorer } from '../../../examples/models/exported-methods.js'
import { Refiner } from '../../../examples/models/hybrid.js'
import { MLP } from '../../../examples/models/mlp.js'
import { RNN } from '../../../examples/models/rnn.js'
import * as torch from '../../../lib/index.js'

const all: torch.CompileOptions[] = [
  { backend: 'eager' },
  ...(['default', 'reduce-overhead', 'max-autotune'] as const).flatMap((mode) =>
    [undefined, true, false].map((dynamic) => ({ mode, dynamic })),
  ),
]

type Target = torch.nn.Module | torch.jit.ScriptModule

/** Compiled and not, for arguments of several shapes, each twice: the second call replays what the first recorded. */
function check(t: Test, model: Target, calls: readonly (readonly unknown[])[], origin: 'script' | 'trace' | 'module'): void {
  for (const options of all) {
    const compiled = torch.compile(model, options)
    const name = JSON.stringify(options)
    for (const args of [...calls, ...calls]) {
      const want = model.forward(...args) as torch.Tensor
      // The next call may use the memory again.
      const got = torch.clone(compiled(...args) as torch.Tensor)
      t.ok(torch.allclose(got, want, { rtol: 1e-4, atol: 1e-5 }), `${name}: [${want.shape.join(', ')}]`)
    }
    if (options.backend === 'eager') continue
    for (const compilation of compiled.compilations())
      t.match(compilation, { origin, frozen: true, ...(origin === 'trace' ? {} : { reason: '' }) }, name)
  }
}

torch.manualSeed(0)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)

t.test('multilayer perceptron', (t) => {
  check(t, new MLP().eval(), [[randn(1, 784)], [randn(32, 784)]], 'script')
  t.end()
})
t.test('convolutional network', (t) => {
  check(t, new CNN().eval(), [[randn(1, 1, 28, 28)], [randn(3, 1, 28, 28)]], 'script')
  t.end()
})
t.test('branch on data', (t) => {
  const ones = torch.ones([2, 4])
  check(t, new Branch().eval(), [[ones], [ones.neg()]], 'script')
  t.end()
})
t.test('flag among the arguments', (t) => {
  check(t, new MonteCarlo().eval(), [[randn(2, 16)], [randn(2, 16), false], [randn(5, 16)]], 'script')
  t.end()
})
t.test('loop over time', (t) => {
  check(t, new RNN().eval(), [[randn(5, 2, 8)], [randn(12, 2, 8)]], 'script')
  t.end()
})
t.test('several methods', (t) => {
  check(t, new Scorer().eval(), [[randn(3, 8)], [randn(5, 8)]], 'script')
  t.end()
})
t.test('a trace inside of a script', (t) => {
  check(t, new Refiner().eval(), [[randn(2, 4, 25)], [randn(2, 4, 9), 3]], 'script')
  t.end()
})
t.test('deployed network', (t) => {
  check(t, new SimpleCNN().eval(), [[randn(1, 1, 28, 28)], [randn(4, 1, 28, 28)]], 'script')
  t.end()
})
t.test('GPT-2', (t) => {
  const model = new GPT2({ vocabSize: 96, positions: 64, width: 32, heads: 4, layers: 2 }).eval()
  model.loadStateDict(torch.load('examples/gpt2/tiny_gpt2.pth') as Map<string, torch.Tensor>)
  check(t, model, [[torch.tensor([[1n, 5n, 9n, 2n]])], [torch.tensor([[3n, 7n]])]], 'trace')
  t.end()
})
t.test('archives of PyTorch', (t) => {
  for (const name of ['traced', 'scripted'])
    check(t, torch.jit.load(`examples/digits/mnist_cnn_${name}.pt`).eval(), [[randn(2, 1, 28, 28)], [randn(1, 1, 28, 28)]], 'module')
  t.end()
})
t.test('a stateful archive keeps its state in the module', (t) => {
  const samples = new Int16Array(readFileSync('examples/speech/speech.wav').subarray(44).buffer, 44, 20 * 512)
  const chunks = Array.from({ length: 20 }, (_, i) =>
    torch.tensor(
      Float32Array.from(samples.subarray(i * 512, i * 512 + 512), (v) => v / 32768),
      { shape: [1, 512] },
    ),
  )
  for (const options of all) {
    const compiled = torch.compile(torch.jit.load('examples/speech/silero_vad.pt'), options)
    const fresh = torch.jit.load('examples/speech/silero_vad.pt')
    const worst = Math.max(
      ...chunks.map((chunk) =>
        Math.abs((compiled(chunk, 16000) as torch.Tensor).item() - (fresh.forward(chunk, 16000) as torch.Tensor).item()),
      ),
    )
    t.ok(worst < 1e-4, `${JSON.stringify(options)} differs by ${worst}`)
    if (options.backend !== 'eager')
      t.match(compiled.compilations(), [{ origin: 'module', frozen: false, reason: 'not frozen: forward writes attributes' }])
  }
  t.end()
})
