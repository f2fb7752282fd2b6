import t from 'tap'
import * as torch from '../../../lib/index.js'
import { difference } from './cases.js'

const { jit, nn } = torch
const { parametrizations: P, parametrize } = nn.utils
type Module = InstanceType<typeof nn.Module>

/** A layer with a weight that is computed, as PyTorch has it. */
interface Case {
  readonly repr: string
  readonly state: Map<string, torch.Tensor>
  readonly after: Map<string, torch.Tensor>
  readonly input: torch.Tensor
  readonly output: torch.Tensor
  readonly training: boolean
  readonly 'removed repr': string
  readonly removed: Map<string, torch.Tensor>
  readonly 'removed output': torch.Tensor
}
const cases = new Map(
  [...(torch.load('test/fixtures/nn/reparametrized.pt') as Map<string, Map<string, unknown>>)].map(([name, fields]) => [
    name,
    Object.fromEntries(fields) as unknown as Case,
  ]),
)

class Symmetric extends nn.Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x.triu().add(x.triu(1).transpose(-1, -2))
  }
  rightInverse(value: torch.Tensor): torch.Tensor {
    return value.triu()
  }
}
class Doubled extends nn.Module {
  override forward(x: torch.Tensor): torch.Tensor {
    return x.mul(2)
  }
}
function own(): Module {
  const linear = new nn.Linear(4, 4)
  parametrize.registerParametrization(linear, 'weight', new Symmetric())
  parametrize.registerParametrization(linear, 'weight', new Doubled())
  return parametrize.registerParametrization(linear, 'bias', new Doubled())
}

const removing =
  (...names: string[]) =>
  (module: Module): void => {
    for (const name of names) parametrize.removeParametrizations(module, name)
  }
const { weightNorm, removeWeightNorm, spectralNorm, removeSpectralNorm } = nn.utils
const rows: readonly [name: string, make: () => Module, remove: (module: Module) => void][] = [
  ['weightNorm Linear', () => weightNorm(new nn.Linear(4, 3)), removeWeightNorm],
  ['weightNorm Conv1d', () => weightNorm(new nn.Conv1d(4, 6, 3), { dim: 1 }), removeWeightNorm],
  ['weightNorm whole', () => weightNorm(new nn.ConvTranspose2d(4, 2, 3, { bias: false }), 'weight', null), removeWeightNorm],
  ['spectralNorm Linear', () => spectralNorm(new nn.Linear(4, 3)), removeSpectralNorm],
  ['spectralNorm training', () => spectralNorm(new nn.Conv2d(3, 4, 3), { nPowerIterations: 2 }), removeSpectralNorm],
  ['spectralNorm transposed', () => spectralNorm(new nn.ConvTranspose1d(3, 4, 2)), removeSpectralNorm],
  ['parametrizations.weightNorm Linear', () => P.weightNorm(new nn.Linear(4, 3)), removing('weight')],
  ['parametrizations.weightNorm Conv1d', () => P.weightNorm(new nn.Conv1d(4, 6, 3), { dim: null }), removing('weight')],
  ['parametrizations.spectralNorm Linear', () => P.spectralNorm(new nn.Linear(4, 3)), removing('weight')],
  ['parametrizations.spectralNorm training', () => P.spectralNorm(new nn.ConvTranspose2d(3, 4, 2), 'weight', 2), removing('weight')],
  ['parametrizations.spectralNorm vector', () => P.spectralNorm(new nn.Linear(4, 3), 'bias'), removing('bias')],
  ['parametrizations.orthogonal square', () => P.orthogonal(new nn.Linear(4, 4)), removing('weight')],
  ['parametrizations.orthogonal tall', () => P.orthogonal(new nn.Linear(3, 5)), removing('weight')],
  ['parametrizations.orthogonal wide', () => P.orthogonal(new nn.Linear(5, 3), { orthogonalMap: 'cayley' }), removing('weight')],
  [
    'parametrizations.orthogonal exponential',
    () => P.orthogonal(new nn.Linear(3, 5), 'weight', 'matrix_exp', { useTrivialization: false }),
    removing('weight'),
  ],
  ['parametrizations.orthogonal reflections', () => P.orthogonal(new nn.Linear(5, 3), { useTrivialization: false }), removing('weight')],
  ['parametrize own', own, removing('weight', 'bias')],
]

t.test('every case of the fixture has a row', (t) => {
  t.same([...cases.keys()].sort(), rows.map(([name]) => name).sort())
  t.end()
})

const close = (t: Tap, actual: torch.Tensor, expected: torch.Tensor, what: string): void => {
  const off = difference(actual.contiguous(), expected)
  t.ok(off <= 2e-6, `${what}: off by ${off}`)
}
type Tap = Pick<typeof t, 'ok' | 'same'>

function compare(t: Tap, state: Map<string, torch.Tensor>, expected: Map<string, torch.Tensor>, what: string): void {
  t.same([...state.keys()], [...expected.keys()], `names of the ${what}`)
  for (const [key, tensor] of state) close(t, tensor, expected.get(key)!, `${what} ${key}`)
}

for (const [name, make, remove] of rows) {
  t.test(name, (t) => {
    const { repr, state, after, input, output, training, removed, ...rest } = cases.get(name)!
    torch.manualSeed(7)
    const module = make().train(training)
    t.equal(module.toString(), repr)
    compare(t, module.stateDict(), state, 'initial state')
    const other = make().train(training)
    t.same(other.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] }, 'the state of PyTorch loads')
    const copy = nn.deepCopy(other)
    for (const each of [module, other, copy]) {
      close(t, each.forward(input) as torch.Tensor, output, 'output')
      compare(t, each.stateDict(), after, 'state after a forward')
    }
    remove(copy)
    t.equal(other.toString(), repr, 'the copy stands alone')
    remove(module)
    t.equal(module.toString(), rest['removed repr'])
    compare(t, module.stateDict(), removed, 'state after removal')
    close(t, module.forward(input) as torch.Tensor, rest['removed output'], 'output after removal')
    t.ok(jit.script(module), 'scripts know the weight again')
    t.end()
  })

  t.test(`${name}, traced`, (t) => {
    const { state, input, output, training } = cases.get(name)!
    if (training) return t.end()
    const module = make().eval()
    module.loadStateDict(state)
    const traced = jit.trace(module, [input])
    t.same([...traced.stateDict().keys()], [...state.keys()])
    close(t, traced.forward(input) as torch.Tensor, output, 'output')
    const whole = jit.trace(new nn.Sequential(module, new nn.ReLU()), [input])
    close(t, whole.forward(input) as torch.Tensor, output.relu(), 'output inside of another')
    const [key, tensor] = [...whole.stateDict()].at(-1)!
    nn.init.zeros_(tensor)
    t.not(difference(whole.forward(input) as torch.Tensor, output.relu()), 0, `the trace computes with ${key}`)
    t.end()
  })
}

t.test('state dicts of weightNorm load into its successor', (t) => {
  const { state, input, output } = cases.get('weightNorm Linear')!
  const model = new nn.Sequential(P.weightNorm(new nn.Linear(4, 3)))
  t.same(model.loadStateDict(new Map([...state].map(([key, value]) => [`0.${key}`, value]))), { missingKeys: [], unexpectedKeys: [] })
  close(t, model.forward(input) as torch.Tensor, output, 'output')
  t.end()
})

t.test('weights of other names', (t) => {
  torch.manualSeed(3)
  const lstm = new nn.LSTM(3, 4)
  const x = torch.randn([2, 1, 3])
  const [expected] = lstm.forward(x)
  for (const [put, remove, keys] of [
    [weightNorm, removeWeightNorm, ['weight_hh_l0_g', 'weight_hh_l0_v']],
    [
      P.weightNorm,
      parametrize.removeParametrizations,
      ['parametrizations.weight_hh_l0.original0', 'parametrizations.weight_hh_l0.original1'],
    ],
  ] as const) {
    put(lstm, 'weight_hh_l0')
    t.same([...lstm.stateDict().keys()].slice(3), keys)
    close(t, lstm.forward(x)[0], expected, 'output')
    remove(lstm, 'weight_hh_l0')
    t.same([...lstm.stateDict().keys()].slice(3), ['weight_hh_l0'])
  }
  const attention = P.weightNorm(new nn.MultiheadAttention(4, 2), 'inProjWeight')
  t.ok(parametrize.isParametrized(attention, 'in_proj_weight'))
  const other = parametrize.transferParametrizationsAndParams(attention, new nn.MultiheadAttention(4, 2))
  t.same([...other.stateDict().keys()], [...attention.stateDict().keys()])
  t.same(other.inProjWeight!.toArray(), attention.inProjWeight!.toArray())
  parametrize.removeParametrizations(attention, 'in_proj_weight')
  t.ok(attention.inProjWeight instanceof nn.Parameter)
  t.end()
})

t.test('a weight that is read is computed anew, but once where values are cached', (t) => {
  let calls = 0
  class Counting extends nn.Module {
    override forward(x: torch.Tensor): torch.Tensor {
      calls++
      return x
    }
  }
  const linear = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Counting())
  calls = 0
  const { weight } = linear
  t.not(linear.weight, undefined)
  t.equal(calls, 2)
  parametrize.cached(() => {
    t.equal(linear.weight, linear.weight)
    t.throws(() => jit.trace(linear, [torch.ones([1, 2])]), { message: 'Cannot trace a model while caching parametrizations.' })
  })
  t.equal(calls, 3)
  t.same(weight.shape, [2, 2])
  t.end()
})

t.test('a value that is assigned goes to the originals', (t) => {
  const linear = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Symmetric())
  const fields = linear as unknown as { weight: torch.Tensor }
  fields.weight = torch.tensor([
    [1, 2],
    [2, 3],
  ])
  t.same(linear.stateDict().get('parametrizations.weight.original')!.toArray(), [
    [1, 2],
    [0, 3],
  ])
  t.same(linear.weight.toArray(), [
    [1, 2],
    [2, 3],
  ])
  t.equal(parametrize.isParametrized(linear), true)
  t.equal(parametrize.isParametrized(linear, 'bias'), false)
  t.equal(parametrize.typeBeforeParametrizations(linear), nn.Linear)
  t.ok(linear instanceof nn.Linear)
  const other = parametrize.transferParametrizationsAndParams(linear, new nn.Linear(2, 2))
  t.same(other.weight.toArray(), linear.weight.toArray())
  parametrize.removeParametrizations(linear, 'weight', { leaveParametrized: false })
  t.same(linear.weight.toArray(), [
    [1, 2],
    [0, 3],
  ])
  t.equal(linear.constructor, nn.Linear)
  t.equal(parametrize.isParametrized(other, 'weight'), true)
  t.end()
})

t.test('what cannot be done is said', (t) => {
  class Wide extends nn.Module {
    override forward(x: torch.Tensor): torch.Tensor {
      return torch.cat([x, x], 1)
    }
  }
  const linear = new nn.Linear(2, 2)
  t.throws(() => parametrize.registerParametrization(linear, 'weight', new Wide()), {
    message:
      'Registering a parametrization may not change the shape of the tensor, unless the `unsafe` flag is enabled.\nunparametrized.shape: torch.Size([2, 2])\nparametrized.shape: torch.Size([2, 4])',
  })
  t.throws(() => parametrize.registerParametrization(linear, 'wight', new Wide()), {
    message:
      "Module 'Linear(in_features=2, out_features=2, bias=True)' does not have a parameter, a buffer, or a parametrized element with name 'wight'",
  })
  t.throws(() => parametrize.removeParametrizations(linear, 'weight'), {
    message: 'Module Linear(in_features=2, out_features=2, bias=True) does not have a parametrization on weight',
  })
  t.throws(() => removeWeightNorm(linear), {
    message: "weight_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)",
  })
  t.throws(() => removeSpectralNorm(linear), {
    message: "spectral_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)",
  })
  const normed = weightNorm(new nn.Linear(2, 2))
  t.throws(() => weightNorm(normed), { message: 'Cannot register two weight_norm hooks on the same parameter weight' })
  t.throws(() => jit.script(normed), {
    message:
      "Expected a module without weightNorm to script but Linear has it on 'weight': scripts cannot compute a weight before each forward. Call nn.utils.removeWeightNorm(module, 'weight') first, or trace the module",
  })
  t.throws(() => jit.script(new nn.Sequential(P.weightNorm(new nn.Linear(2, 2)))), {
    message:
      'Parametrization is not working with scripting. Call nn.utils.parametrize.removeParametrizations on the tensors of ParametrizedLinear first, or trace the module',
  })
  const list = P.weightNorm(new nn.Linear(2, 2))
  t.throws(() => parametrize.removeParametrizations(list, 'weight', { leaveParametrized: false }), {
    message: 'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
  })
  t.throws(() => P.spectralNorm(new nn.Linear(2, 2), 'weight', 0), {
    message: 'Expected n_power_iterations to be positive, but got n_power_iterations=0',
  })
  t.throws(() => P.orthogonal(new nn.Linear(2, 2), 'bias'), {
    message: 'Expected a matrix or batch of matrices. Got a tensor of 1 dimensions.',
  })
  t.end()
})
