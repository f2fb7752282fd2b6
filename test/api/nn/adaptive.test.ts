import t from 'tap'
import * as torch from '../../../lib/index.js'
import { difference } from './cases.js'

const { jit, nn } = torch

const fixture = torch.load('test/fixtures/nn/adaptive.pt') as Map<string, unknown>
const input = fixture.get('input') as torch.Tensor
const [predicted, predictedFirst, logProbabilities] = fixture.get('outputs') as torch.Tensor[]

class Predictor extends nn.Module {
  softmax = new nn.AdaptiveLogSoftmaxWithLoss(6, 9, [2, 5], { divValue: 2, headBias: true })
  override forward(x: torch.Tensor): torch.Tensor {
    return this.softmax.predict(x)
  }
}
function loaded(): Predictor {
  const model = new Predictor()
  model.softmax.loadStateDict(fixture.get('state') as Map<string, torch.Tensor>)
  return model
}

t.test('classes and their probabilities', (t) => {
  const { softmax } = loaded()
  t.same(softmax.predict(input).toArray(), predicted.toArray(), 'some rows are of rare classes')
  const first = input.slice(0, 0, 1)
  t.same(softmax.predict(first).toArray(), predictedFirst.toArray(), 'no row is')
  t.ok(difference(softmax.logProb(input), logProbabilities) < 1e-6)
  t.end()
})

t.test('predictions of a script', (t) => {
  const scripted = jit.script(loaded())
  t.same((scripted.forward(input) as torch.Tensor).toArray(), predicted.toArray())
  t.same((scripted.forward(input.slice(0, 0, 1)) as torch.Tensor).toArray(), predictedFirst.toArray())
  t.end()
})

t.test('what does not fit is said', (t) => {
  t.throws(() => new nn.AdaptiveLogSoftmaxWithLoss(6, 9, []), { message: 'cutoffs should be a sequence of length larger than 0' })
  for (const cutoffs of [[5, 2], [0, 3], [3, 9], [3, 3], [2.5]])
    t.throws(() => new nn.AdaptiveLogSoftmaxWithLoss(6, 9, cutoffs), {
      message:
        'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
    })
  const { softmax } = loaded()
  t.throws(() => softmax.forward(input, torch.tensor([0n, 1n, 2n, 3n, 9n])), {
    message: 'Target values should be in [0, 8], but values in range [0, 9] were found. ',
  })
  t.throws(() => softmax.forward(input, torch.tensor([0n])), {
    message: 'Input and target should have the same size in the batch dimension.',
  })
  t.throws(() => softmax.forward(input, torch.tensor(0n)), {
    message: '0D target tensor expects 1D input tensors, but found inputs with size torch.Size([5, 6])',
  })
  t.throws(() => softmax.forward(input, torch.tensor([[0n]])), {
    message: '0D or 1D target tensor expected, multi-target not supported',
  })
  t.end()
})
