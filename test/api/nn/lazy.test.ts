import t from 'tap'
import * as torch from '../../../lib/index.js'
import { difference } from './cases.js'

const { jit, nn } = torch
type Module = InstanceType<typeof nn.Module>

/** A lazy layer as PyTorch has it, before and after its first forward. */
interface Case {
  readonly repr: string
  readonly keys: readonly string[]
  readonly becomes: string
  readonly state: Map<string, torch.Tensor>
  readonly input: torch.Tensor
  readonly output: torch.Tensor
}
const cases = new Map(
  [...(torch.load('test/fixtures/nn/lazy.pt') as Map<string, Map<string, unknown>>)].map(([name, fields]) => [
    name,
    Object.fromEntries(fields) as unknown as Case,
  ]),
)
const layers = nn as unknown as Record<string, new (...args: unknown[]) => Module>
const one = (name: string, ...args: unknown[]): [string, () => Module] => [name, () => new layers[name.split(' ')[0]](...args)]
const rows = [
  one('LazyLinear', 3),
  one('LazyConv1d', 4, 3, { padding: 1 }),
  one('LazyConv2d', 4, [3, 2], 2, { groups: 2, bias: false }),
  one('LazyConv3d', 2, 2, { padding: 'same' }),
  one('LazyConvTranspose1d', 4, 3, { stride: 2 }),
  one('LazyConvTranspose2d', 4, 3, { groups: 2 }),
  one('LazyConvTranspose3d', 2, 2, { bias: false }),
  ...[1, 2, 3].flatMap((n) => [one(`LazyBatchNorm${n}d`), one(`LazyInstanceNorm${n}d`)]),
  one('LazyBatchNorm2d plain', 1e-3, { momentum: null, affine: false }),
  one('LazyInstanceNorm2d plain', { affine: true, trackRunningStats: false, bias: false }),
]

t.test('every case of the fixture has a row', (t) => {
  t.same([...cases.keys()].sort(), rows.map(([name]) => name).sort())
  t.end()
})

for (const [name, make] of rows) {
  t.test(name, (t) => {
    const { repr, keys, becomes, state, input, output } = cases.get(name)!
    const module = make()
    t.equal(module.toString(), repr)
    t.same([...module.stateDict().keys()], keys)
    const untouched = nn.deepCopy(module)
    torch.manualSeed(9)
    const result = module.forward(input) as torch.Tensor
    t.ok(difference(result, output) <= 2e-6, `output: off by ${difference(result, output)}`)
    t.equal(module.toString(), becomes, 'of the plain class')
    for (const [key, tensor] of module.stateDict()) {
      // Running statistics are sums; initial values are PyTorch's own.
      if (key.startsWith('running')) t.ok(difference(tensor, state.get(key)!) <= 1e-6, key)
      else t.same(tensor.toArray(), state.get(key)!.toArray(), key)
    }
    t.equal(untouched.toString(), repr, 'a copy waits for an input of its own')

    const loaded = make().eval()
    t.same(loaded.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] })
    for (const [key, tensor] of loaded.stateDict()) t.same(tensor.toArray(), state.get(key)!.toArray(), `loaded ${key}`)
    t.equal(loaded.toString(), becomes, 'of the plain class when it has its values')
    const expected = loaded.forward(input) as torch.Tensor
    t.equal(difference(jit.trace(loaded, [input]).forward(input) as torch.Tensor, expected), 0, 'loaded and traced')
    t.equal(difference(jit.script(loaded).forward(input) as torch.Tensor, expected), 0, 'loaded and scripted')
    t.end()
  })
}

t.test('a model of lazy layers', (t) => {
  const make = (): InstanceType<typeof nn.Sequential> =>
    new nn.Sequential(new nn.LazyConv2d(4, 3), new nn.LazyBatchNorm2d(), new nn.Flatten(), new nn.LazyLinear(2, { bias: false }))
  const model = make().double()
  const state = model.stateDict()
  t.ok([...state.values()].filter(nn.isLazy).length === 7)
  t.equal(String(state.get('0.weight')), '<UninitializedParameter>')
  t.equal(String(state.get('1.running_mean')), '<UninitializedBuffer>')
  const x = torch.ones([2, 3, 5, 5], { dtype: 'float64' })
  t.same((model.forward(x) as torch.Tensor).shape, [2, 2])
  t.equal(model.parameters()[0].dtype, 'float64', 'of the dtype that it was converted to')
  t.ok(model.parameters().every((parameter) => parameter instanceof nn.Parameter && parameter.requiresGrad))
  t.same(model.parameters()[0].shape, [4, 3, 3, 3])
  const again = make()
  again.loadStateDict(model.stateDict())
  t.equal(again.parameters()[0].dtype, 'float32', 'loading keeps the dtype')
  t.same(make().loadStateDict(make().stateDict()), { missingKeys: [], unexpectedKeys: [] }, 'nothing into nothing')
  t.end()
})

t.test('layers without shapes cannot be used', (t) => {
  const x = torch.ones([1, 4])
  const linear = new nn.LazyLinear(3)
  t.throws(() => linear.weight.add(1), {
    message:
      'Attempted to use an uninitialized parameter. This error happens when you are using a lazy module or explicitly manipulating `nn.UninitializedParameter` objects. When using lazy modules call `forward` with a dummy batch to initialize the parameters before calling torch functions',
  })
  t.throws(() => linear.weight.shape, { message: /^Can't access the shape of an uninitialized parameter or buffer\. / })
  t.throws(() => linear.weight.toArray(), { message: /^Attempted to use an uninitialized parameter\. / })
  t.throws(() => new nn.Linear(4, 3).loadStateDict(linear.stateDict()), { message: /^Can't access the shape of an uninitialized/ })
  const message = "'torch.nn.modules.linear.LazyLinear' has uninitialized parameters weight. Did you forget to run a forward pass?"
  t.throws(() => jit.script(linear), { message })
  t.throws(() => jit.trace(linear, [x]), { message })
  t.throws(() => jit.trace(new nn.Sequential(linear), [x]), { message })
  t.throws(() => jit.script(new nn.LazyBatchNorm1d({ affine: false })), {
    message: "'torch.nn.modules.batchnorm.LazyBatchNorm1d' has uninitialized buffers running_mean. Did you forget to run a forward pass?",
  })
  t.throws(() => torch.save(linear.stateDict()), { message: /^Attempted to use an uninitialized parameter\. / })
  t.throws(() => nn.utils.weightNorm(linear), { message: /^Attempted to use an uninitialized parameter\. / })
  linear.loadStateDict({ weight: torch.ones([3, 4]) }, { strict: false })
  t.throws(() => linear.forward(x), {
    message: 'module LazyLinear has not been fully initialized: a state dict without bias was loaded',
  })
  t.throws(() => new nn.LazyConv1d(3, 2).forward(x.reshape([1, 1, 2, 2])), {
    message: 'Expected 2D (unbatched) or 3D (batched) input to LazyConv1d, but got input of size: torch.Size([1, 1, 2, 2])',
  })
  t.throws(() => new nn.LazyConv1d(4, 2, { groups: 2 }).forward(torch.ones([1, 3, 2])), {
    message: 'in_channels must be divisible by groups',
  })
  t.end()
})
