import * as torch from '../../../lib/index.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase } from '../authored.js'
import { randn } from './tools.js'

const { nn, jit } = torch

const convNet = (): torch.nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(),
    new nn.Flatten(),
    new nn.Linear(128, 10),
  )
const perceptron = (): torch.nn.Module =>
  new nn.Sequential(new nn.Linear(6, 8), new nn.GELU(), new nn.Linear(8, 3), new nn.Softmax({ dim: 1 }))

const frozen = (
  name: string,
  make: () => torch.nn.Module,
  shape: number[],
  work: (module: torch.jit.ScriptModule) => torch.jit.ScriptModule,
): AuthoredCase => ({
  name: `frozen/${name}`,
  make() {
    manualSeed(1)
    const inputs = [randn(...shape)]
    return { module: work(jit.trace(make().eval(), inputs)), inputs }
  },
})

export const frozenCases: readonly AuthoredCase[] = [
  frozen('conv_batch_norm', convNet, [2, 3, 8, 8], (m) => jit.freeze(m)),
  frozen('conv_without_numerics', convNet, [2, 3, 8, 8], (m) => jit.freeze(m, { optimizeNumerics: false })),
  frozen('perceptron', perceptron, [2, 6], (m) => jit.freeze(m)),
  frozen('for_inference', convNet, [2, 3, 8, 8], (m) => jit.optimizeForInference(m)),
  {
    name: 'frozen/loaded_kinds',
    make: () => ({ module: jit.freeze(jit.load('test/fixtures/save/kinds.pt')), inputs: [randn(2, 3)] }),
  },
]
