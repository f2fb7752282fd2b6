import * as torch from '../../../lib/index.js'
import { main as branch } from '../../../examples/models/branch.js'
import { main as cnn } from '../../../examples/models/cnn.js'
import { main as dropoutFlag } from '../../../examples/models/dropout-flag.js'
import { main as exportedMethods } from '../../../examples/models/exported-methods.js'
import { main as hybrid } from '../../../examples/models/hybrid.js'
import { main as mlp } from '../../../examples/models/mlp.js'
import { main as rnn } from '../../../examples/models/rnn.js'
import { GPT2, main as gpt2 } from '../../../examples/gpt2/gpt2.js'
import { SimpleCNN } from '../../../examples/deploy/deploy.js'
import type { AuthoredCase, AuthoredModule } from '../authored.js'
import { ints, randn } from './tools.js'

/** Runs an example without what it prints. */
function quietly<T>(run: () => T): T {
  const { log } = console
  console.log = () => {}
  try {
    return run()
  } finally {
    console.log = log
  }
}

type Rest = Omit<AuthoredModule, 'module' | 'inputs'>
const example = (name: string, main: () => torch.jit.ScriptModule, inputs: () => unknown[], rest: Rest = {}): AuthoredCase => ({
  name: `examples/${name}`,
  make: () => ({ module: quietly(main), inputs: inputs(), ...rest }),
})

const tinyGpt2 = (): torch.nn.Module => {
  const model = new GPT2({ vocabSize: 96, positions: 64, width: 32, heads: 4, layers: 2 }).eval()
  model.loadStateDict(torch.load('examples/gpt2/tiny_gpt2.pth') as Map<string, torch.Tensor>)
  return model
}
const digits = (): torch.nn.Module => {
  const model = new SimpleCNN().eval()
  model.loadStateDict(torch.load('examples/digits/mnist_cnn_state_dict.pth') as Map<string, torch.Tensor>)
  return model
}

/** Every model of examples/, in each form that the examples give it. Weights from files: PyTorch's kernels sum in another order. */
export const exampleCases: readonly AuthoredCase[] = [
  example('mlp', mlp, () => [randn(8, 784)]),
  example('cnn_for_inference', cnn, () => [randn(4, 1, 28, 28)]),
  example('branch', branch, () => [torch.ones([2, 4])]),
  example('branch_other_way', branch, () => [torch.ones([2, 4]).neg()]),
  example('dropout_flag_off', dropoutFlag, () => [randn(4, 16)]),
  example('dropout_flag_on', dropoutFlag, () => [randn(4, 16), true]),
  example('rnn_5_steps', rnn, () => [randn(5, 2, 8)]),
  example('rnn_12_steps', rnn, () => [randn(12, 2, 8)]),
  example('exported_methods', exportedMethods, () => [randn(3, 8)]),
  example('exported_methods_encode', exportedMethods, () => [randn(3, 8)], { method: 'encode' }),
  example('exported_methods_encode_mask', exportedMethods, () => [randn(3, 8), torch.ones([3, 8])], { method: 'encode' }),
  example('hybrid', hybrid, () => [randn(2, 4, 25), 3]),
  example('gpt2_greedy', gpt2, () => [torch.tensor([[1n, 5n, 9n, 2n]]), 20]),
  example(
    'gpt2_traced',
    () => torch.jit.trace(tinyGpt2(), [ints([1, 16], 96)]),
    () => [ints([2, 11], 96)],
    { rtol: 1e-4 },
  ),
  example(
    'gpt2_frozen',
    () => torch.jit.freeze(torch.jit.trace(tinyGpt2(), [ints([1, 16], 96)])),
    () => [ints([1, 30], 96)],
    { rtol: 1e-4 },
  ),
  example(
    'digits_traced',
    () => torch.jit.trace(digits(), [randn(1, 1, 28, 28)]),
    () => [randn(3, 1, 28, 28)],
    { rtol: 1e-4 },
  ),
  example(
    'digits_scripted',
    () => torch.jit.script(digits()),
    () => [randn(3, 1, 28, 28)],
    { rtol: 1e-4 },
  ),
  example(
    'digits_for_inference',
    () => torch.jit.optimizeForInference(torch.jit.trace(digits(), [randn(1, 1, 28, 28)])),
    () => [randn(3, 1, 28, 28)],
    {
      rtol: 1e-4,
    },
  ),
]
