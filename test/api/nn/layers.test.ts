import t from 'tap'
import * as torch from '../../../lib/index.js'
import type { AnyModule } from '../../../lib/api/nn/module.js'
import { camel, cases, difference, makers, tensorsIn } from './cases.js'

t.test('every case of the fixture has a layer', (t) => {
  t.same([...cases.keys()].sort(), [...makers.keys()].sort())
  t.end()
})

for (const [name, make] of makers) {
  t.test(name, (t) => {
    const { repr, state, inputs, kwargs, outputs, training, after } = cases.get(name)!
    torch.manualSeed(7)
    const module = make()
    t.equal(module.toString(), repr, 'printed as PyTorch prints it')
    const initial = module.stateDict()
    t.same([...initial.keys()], [...state.keys()], 'names of the state')
    for (const [key, tensor] of initial) {
      // Orders of summation are not the numbers of a generator: all initial values are PyTorch's own.
      t.equal(tensor.dtype, state.get(key)!.dtype)
      t.same(tensor.toArray(), state.get(key)!.toArray(), `initial ${key}`)
    }
    module.train(training)
    // One tensor in several places is one tensor there too.
    const given =
      name.startsWith('MultiheadAttention ') && inputs.length === 3 && isSame(inputs as torch.Tensor[])
        ? [inputs[0], inputs[0], inputs[0]]
        : inputs
    const options = Object.fromEntries([...kwargs].map(([key, value]) => [camel(key), value]))
    const rest = kwargs.has('output_size') ? [kwargs.get('output_size')] : kwargs.size > 0 ? [options] : []
    torch.manualSeed(7)
    const results = tensorsIn(
      module.forward(
        ...given
          .map((input) => (input instanceof torch.Tensor ? input.clone() : input))
          .map((input, i, all) => (given[i] === given[0] ? all[0] : input)),
        ...rest,
      ),
    )
    t.equal(results.length, outputs.length, 'number of results')
    results.forEach((result, i) => {
      const off = difference(result, outputs[i])
      t.ok(off <= 2e-6, `result ${i}: off by ${off}`)
    })
    for (const [key, tensor] of after) t.ok(difference(module.stateDict().get(key)!, tensor) <= 1e-6, `${key} after training`)
    t.end()
  })
}

function isSame([first, ...others]: torch.Tensor[]): boolean {
  return others.every((other) => difference(first, other) === 0)
}

t.test('state dicts go from one module to another', (t) => {
  for (const name of ['Conv2d', 'BatchNorm2d', 'LSTM deep', 'MultiheadAttention sizes', 'Transformer']) {
    const { state } = cases.get(name)!
    const module: AnyModule = makers.get(name)!()
    t.same(module.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] })
    for (const [key, tensor] of module.stateDict()) t.same(tensor.toArray(), state.get(key)!.toArray(), `${name} ${key}`)
  }
  t.end()
})
