import t, { type Test } from 'tap'
import * as torch from '../../lib/index.js'
import { main as branch } from '../../examples/models/branch.js'
import { main as cnn } from '../../examples/models/cnn.js'
import { main as dropoutFlag } from '../../examples/models/dropout-flag.js'
import { main as exportedMethods } from '../../examples/models/exported-methods.js'
import { main as hybrid } from '../../examples/models/hybrid.js'
import { main as mlp } from '../../examples/models/mlp.js'
import { main as rnn } from '../../examples/models/rnn.js'
import { GPT2, main as gpt2 } from '../../examples/gpt2/gpt2.js'
import { main as deploy } from '../../examples/deploy/deploy.js'

/** What an example prints. */
function printed<T>(run: () => T): { result: T; lines: string[] } {
  const { log } = console
  const lines: string[] = []
  console.log = (...values: unknown[]) => lines.push(values.map(String).join(' '))
  try {
    return { result: run(), lines }
  } finally {
    console.log = log
  }
}
/** A saved and loaded copy computes the same. */
function survivesSaving(t: Test, module: torch.jit.ScriptModule, ...inputs: unknown[]): void {
  const copy = torch.jit.load(torch.jit.save(module) as Buffer)
  t.ok(torch.equal(copy.forward(...inputs), module.forward(...inputs)), 'saved and loaded')
}

t.test('a multilayer perceptron', (t) => {
  const { result, lines } = printed(mlp)
  t.equal(lines.at(-1), 'largest difference 0')
  survivesSaving(t, result, torch.randn([3, 784]))
  t.end()
})
t.test('a convolutional network', (t) => {
  const { result, lines } = printed(cnn)
  t.ok(Number(lines.at(-1)!.split(' ').at(-1)) < 1e-5)
  t.notMatch(lines[0], 'aten::batch_norm', 'folded into the convolutions')
  survivesSaving(t, result, torch.randn([2, 1, 28, 28]))
  t.end()
})
t.test('a branch on data', (t) => {
  const { result, lines } = printed(branch)
  t.same(lines.slice(-2), ['same on both sides of the branch: true', 'same on both sides of the branch: true'])
  t.match(result.graph, 'prim::If')
  survivesSaving(t, result, torch.randn([2, 4]))
  t.end()
})
t.test('dropout behind a flag', (t) => {
  const { result, lines } = printed(dropoutFlag)
  t.same(lines, ['plain true', 'with dropout false'])
  survivesSaving(t, result, torch.randn([2, 16]))
  t.end()
})
t.test('a loop over time', (t) => {
  const { result, lines } = printed(rnn)
  t.same(lines, ['length 5: true', 'length 12: true'])
  survivesSaving(t, result, torch.randn([7, 2, 8]))
  t.end()
})
t.test('exported methods', (t) => {
  const { result, lines } = printed(exportedMethods)
  t.same(lines, ['shapes 3,8 3', 'same as without a mask: true'])
  survivesSaving(t, result, torch.randn([3, 8]))
  t.end()
})
t.test('a traced encoder in a scripted module', (t) => {
  const { result, lines } = printed(hybrid)
  t.equal(lines.at(-1), 'same for three steps: true')
  survivesSaving(t, result, torch.randn([2, 4, 9]), 3)
  t.end()
})

t.test('GPT-2 generates what PyTorch generates', (t) => {
  const { result } = printed(gpt2)
  const expected = torch.loadNpy('examples/gpt2/expected_tokens.npy')
  t.same((result.forward(torch.tensor([[1n, 5n, 9n, 2n]]), 20) as torch.Tensor).toArray(), expected.toArray())
  const model = new GPT2({ vocabSize: 96, positions: 64, width: 32, heads: 4, layers: 2 }).eval()
  model.loadStateDict(torch.load('examples/gpt2/tiny_gpt2.pth') as Map<string, torch.Tensor>)
  const logits = model.forward(torch.tensor([[1n, 5n, 9n, 2n]]))
  t.ok(torch.allclose(logits, torch.loadNpy('examples/gpt2/expected_logits.npy'), 1e-4, 1e-4), 'logits, eager')
  t.end()
})

t.test('a deployment from end to end', (t) => {
  const { result } = printed(deploy)
  t.equal(result.accuracy, 0.9755)
  t.ok(result.largestDifference < 1e-4)
  t.ok(result.bytes > 1.6e6 && result.bytes < 1.8e6)
  t.end()
})
