import t from 'tap'
import * as torch from '../../../lib/index.js'
import { cases, difference, makers, tensorsIn } from './cases.js'

const { jit } = torch

/** What TorchScript has no type for. */
const isUnscriptable = (name: string): boolean => name.startsWith('TripletMarginWithDistanceLoss')

for (const [name, make] of makers) {
  if (isUnscriptable(name)) continue
  t.test(`${name}, scripted`, (t) => {
    const { inputs, kwargs, outputs, training } = cases.get(name)!
    torch.manualSeed(7)
    const module = make().train(training)
    const scripted = jit.script(module) as torch.jit.ScriptModule
    const given = inputs.map((input) => (input instanceof torch.Tensor ? input.clone() : input))
    torch.manualSeed(7)
    const options = kwargs.size > 0 ? [torch.kwargs(Object.fromEntries(kwargs))] : []
    const results = tensorsIn(scripted.forward(...given, ...options))
    t.equal(results.length, outputs.length)
    results.forEach((result, i) => {
      const off = difference(result, outputs[i])
      t.ok(off <= 2e-6, `result ${i}: off by ${off}`)
    })
    t.end()
  })
}
