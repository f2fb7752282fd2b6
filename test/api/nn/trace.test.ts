import t from 'tap'
import * as torch from '../../../lib/index.js'
import { cases, difference, makers, tensorsIn } from './cases.js'

const { jit, nn } = torch

t.test('every layer computes the same traced', (t) => {
  for (const [name, make] of makers) {
    const { inputs, kwargs, outputs, training } = cases.get(name)!
    if (training || kwargs.size > 0) continue
    torch.manualSeed(7)
    const given = (): never[] => inputs.map((input) => (input instanceof torch.Tensor ? input.clone() : input)) as never[]
    const traced = jit.trace(make().eval(), given(), { checkTrace: false, strict: false }) as torch.jit.ScriptModule
    torch.manualSeed(7)
    const results = tensorsIn(traced.forward(...given()))
    const off = Math.max(...results.map((result, i) => difference(result, outputs[i])))
    t.ok(results.length === outputs.length && off <= 2e-6, `${name}: off by ${off}`)
  }
  t.end()
})

t.test('traces hold for other sizes', (t) => {
  torch.manualSeed(1)
  const random = (...shape: number[]): torch.Tensor => nn.init.normal_(torch.empty(shape))
  const layer = { batchFirst: true, dropout: 0 }
  const rows: readonly [torch.nn.Module, torch.Tensor, torch.Tensor][] = [
    [new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, 16, layer), 2), random(2, 3, 8), random(4, 5, 8)],
    [new nn.LSTM(4, 3), random(5, 2, 4), random(3, 7, 4)],
    [new nn.GRU(4, 3, layer), random(2, 5, 4), random(3, 7, 4)],
    [new nn.LocalResponseNorm(3), random(1, 4, 5, 5), random(2, 6, 3, 4)],
    [
      new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.Upsample({ scaleFactor: 2 })),
      random(1, 3, 5, 5),
      random(2, 3, 7, 6),
    ],
  ]
  for (const [module, example, other] of rows) {
    module.eval()
    const traced = jit.trace(module, [example], { strict: false }) as torch.jit.ScriptModule
    const [actual] = tensorsIn(traced.forward(other))
    const [expected] = tensorsIn(module.forward(other))
    t.ok(difference(actual, expected) <= 1e-6, module.constructor.name)
  }
  t.end()
})
