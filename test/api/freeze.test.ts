import t from 'tap'
import type { ObjectValue, PickleValue } from '../../lib/archive/values.js'
import * as torch from '../../lib/index.js'
import { partsOf, rootModule } from '../../lib/api/jit/script-module.js'
import { liveTensor } from '../../lib/runtime/live-tensors.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { Program } from '../../lib/runtime/program.js'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'
import { input } from '../passes/support.js'

type Plain = boolean | bigint | number | string | null | torch.Tensor | ObjectValue | bigint[]

function valueOf(value: Plain): PickleValue {
  if (value === null) return { kind: 'none' }
  if (value instanceof torch.Tensor) return { kind: 'tensor', tensor: liveTensor(value) }
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => ({ kind: 'int', value: item })), elementType: 'int' }
  switch (typeof value) {
    case 'boolean':
      return { kind: 'bool', value }
    case 'bigint':
      return { kind: 'int', value }
    case 'number':
      return { kind: 'float', value }
    case 'string':
      return { kind: 'string', value }
    default:
      return value
  }
}
const object = (className: string, attributes: Record<string, Plain>): ObjectValue => ({
  kind: 'object',
  className: `__torch__.${className}`,
  attributes: new Map(Object.entries({ training: false, ...attributes }).map(([name, value]) => [name, valueOf(value)])),
})

/** A module from classes as archives have them. */
function moduleOf(source: string, root: ObjectValue): torch.jit.ScriptModule {
  const classes = new CompilationUnit({ sources: (name) => (name === '__torch__' ? source : undefined) })
  return rootModule(new Program({ classes, root }))
}
const classOf = (name: string, attributes: string, methods: string, parameters = ''): string =>
  `class ${name}(Module):
  __parameters__ = [${parameters}]
  __buffers__ = []
  training : bool
${attributes
  .split('; ')
  .filter((line) => line !== '')
  .map((line) => `  ${line}\n`)
  .join('')}${methods}
`
const attributesOf = (module: torch.jit.ScriptModule): string[] =>
  module.namedModules().flatMap(([path, m]) =>
    partsOf(m)
      .type.attributes.map(({ name }) => name)
      .map((name) => (path === '' ? name : `${path}.${name}`)),
  )
const numbers = (value: unknown): number[] => [...((value as torch.Tensor).data as Float32Array)]

const linear = classOf(
  'Linear',
  'weight : Tensor; bias : Tensor',
  `  def forward(self: __torch__.Linear, x: Tensor) -> Tensor:
    return torch.linear(x, self.weight, self.bias)`,
  '"weight", "bias", ',
)
const net = `${linear}${classOf(
  'Net',
  'first : __torch__.Linear; second : __torch__.Linear; scale : float; version : int',
  `  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
    first = self.first
    second = self.second
    y = torch.relu((first).forward(x, ))
    y0 = torch.dropout(y, 0.5, self.training)
    return torch.mul((second).forward(y0, ), self.scale)
  def info(self: __torch__.Net) -> int:
    return self.version
  def double(self: __torch__.Net, x: Tensor) -> Tensor:
    return torch.mul((self).forward(x, ), 2)`,
)}`
const netObject = (training = false): ObjectValue =>
  object('Net', {
    training,
    first: object('Linear', { training, weight: input([4, 3], 1), bias: input([4], 2) }),
    second: object('Linear', { training, weight: input([2, 4], 3), bias: input([2], 4) }),
    scale: 0.5,
    version: 7n,
  })

t.test('a frozen module computes the same without attributes', (t) => {
  const module = moduleOf(net, netObject())
  const frozen = torch.jit.freeze(module)
  const x = input([5, 3], 9)
  t.same(numbers(frozen.forward(x)), numbers(module.forward(x)))
  t.same(attributesOf(frozen), [])
  t.same(frozen.namedModules().length, 1)
  t.equal(frozen.originalName, 'Net')
  t.notOk(frozen.hasMember('info'), 'methods that are not asked for go')
  t.notMatch(frozen.graph, /GetAttr|CallMethod|dropout/)
  t.match(frozen.graph, /%self.first.weight : Tensor = prim::Constant/)
  t.ok(module.hasMember('first'), 'the module given stays as it is')
  t.end()
})

t.test('a frozen module shares the memory of the weights', (t) => {
  const module = moduleOf(net, netObject())
  const frozen = torch.jit.freeze(module)
  const x = input([5, 3], 9)
  ;(module.stateDict().get('second.bias')!.data as Float32Array).fill(100)
  t.same(numbers(frozen.forward(x)), numbers(module.forward(x)))
  t.end()
})

t.test('training mode is refused, wrong arguments are', (t) => {
  const message = /Freezing module in training mode is not yet supported/
  t.throws(() => torch.jit.freeze(moduleOf(net, netObject(true))), { code: 'ERR_ARGUMENT', message })
  t.throws(() => torch.jit.freeze({} as never), { code: 'ERR_ARGUMENT', message: /Expected a module .* for `module` but received Object/ })
  const module = moduleOf(net, netObject())
  t.throws(() => torch.jit.freeze(module, { preservedAttrs: 'scale' as never }), {
    code: 'ERR_ARGUMENT',
    message: /array of strings for `preservedAttrs`/,
  })
  t.throws(() => torch.jit.freeze(module, { preservedAttrs: ['none'] }), {
    code: 'ERR_ARGUMENT',
    message: /Expected an attribute or method of __torch__.Net for `preservedAttrs` but received 'none'/,
  })
  t.end()
})

t.test('what is preserved stays', (t) => {
  const frozen = torch.jit.freeze(moduleOf(net, netObject()), { preservedAttrs: ['scale', 'double', 'info', 'second.weight'] })
  const x = input([5, 3], 9)
  t.same(attributesOf(frozen).sort(), ['scale', 'second', 'second.weight'])
  const before = numbers(frozen.forward(x))
  t.same(
    numbers(frozen.double(x)),
    before.map((v) => v * 2),
  )
  t.equal(frozen.info(), 7)
  frozen.scale = 1
  t.same(
    numbers(frozen.forward(x)),
    before.map((v) => v * 2),
    'it can be set, and is read',
  )
  t.end()
})

t.test('preserving a submodule preserves all of it', (t) => {
  const module = moduleOf(net, netObject())
  const frozen = torch.jit.freeze(module, { preservedAttrs: ['first'] })
  const x = input([5, 3], 9)
  t.same(numbers(frozen.first.forward(x)), numbers(module.first.forward(x)))
  t.same(numbers(frozen.forward(x)), numbers(module.forward(x)))
  t.end()
})

t.test('attributes that a method changes stay', (t) => {
  const source = classOf(
    'Counter',
    'calls : int; total : Tensor; view : Tensor; weight : Tensor; sizes : List[int]',
    `  def forward(self: __torch__.Counter, x: Tensor) -> Tensor:
    self.calls = torch.add(self.calls, 1)
    _0 = torch.add_(torch.slice(self.total, 0, 0, 1), 1.)
    if self.training:
      self.weight = x
    else:
      pass
    _1 = torch.append(self.sizes, self.calls)
    return torch.add(torch.mul(x, self.weight), torch.add(torch.sum(self.total), torch.add(torch.sum(self.view), torch.len(self.sizes))))`,
  )
  const root = (): ObjectValue => {
    const data = liveTensor(torch.zeros([4]))
    const counter = object('Counter', { calls: 0n, total: null, view: null, weight: input([3], 2), sizes: [] })
    // Two tensors in one storage.
    counter.attributes!.set('total', { kind: 'tensor', tensor: { ...data } })
    counter.attributes!.set('view', { kind: 'tensor', tensor: { ...data, shape: [2], strides: [1], offset: 0 } })
    return counter
  }
  const module = moduleOf(source, root())
  const frozen = torch.jit.freeze(moduleOf(source, root()))
  t.same(attributesOf(frozen).sort(), ['calls', 'sizes', 'total', 'view'], 'the branch for training is gone, and so is what it sets')
  for (let i = 0; i < 3; i++) t.same(numbers(frozen.forward(input([3], i))), numbers(module.forward(input([3], i))))
  t.equal(frozen.calls, 3)
  t.end()
})

t.test('one object reached by two paths is one object', (t) => {
  const source = `${classOf('Cell', 'state : Tensor', '  def forward(self: __torch__.Cell, x: Tensor) -> Tensor:\n    self.state = torch.add(self.state, x)\n    return self.state')}${classOf(
    'Two',
    'a : __torch__.Cell; b : __torch__.Cell',
    `  def forward(self: __torch__.Two, x: Tensor) -> Tensor:
    a = self.a
    b = self.b
    y = (a).forward(x, )
    return (b).forward(y, )`,
  )}`
  const root = (): ObjectValue => {
    const cell = object('Cell', { state: torch.zeros([2]) })
    return object('Two', { a: cell, b: cell })
  }
  const [module, frozen] = [moduleOf(source, root()), torch.jit.freeze(moduleOf(source, root()))]
  for (let i = 1; i < 4; i++) t.same(numbers(frozen.forward(input([2], i))), numbers(module.forward(input([2], i))))
  t.same(numbers(frozen.a.state), numbers(frozen.b.state))
  t.end()
})

t.test('calls through an interface are inlined, unless the module behind it changes', (t) => {
  const source = (swap: string): string => `class Step(ModuleInterface):
  def forward(self: __torch__.Step, x: Tensor) -> Tensor:
    pass
${classOf('Twice', 'factor : Tensor', '  def forward(self: __torch__.Twice, x: Tensor) -> Tensor:\n    return torch.mul(x, self.factor)')}${classOf(
    'Host',
    'step : __torch__.Step; other : __torch__.Twice',
    `  def forward(self: __torch__.Host, x: Tensor) -> Tensor:
    step = self.step
    y = (step).forward(x, )
${swap}    return y`,
  )}`
  const root = (): ObjectValue =>
    object('Host', { step: object('Twice', { factor: torch.full([], 2) }), other: object('Twice', { factor: torch.full([], 3) }) })
  const fixed = torch.jit.freeze(moduleOf(source(''), root()))
  t.notMatch(fixed.graph, /CallMethod/)
  t.same(numbers(fixed.forward(torch.ones([2]))), [2, 2])
  const swapping = torch.jit.freeze(moduleOf(source('    self.step = self.other\n'), root()))
  t.match(swapping.graph, /CallMethod/)
  t.same(numbers(swapping.forward(torch.ones([2]))), [2, 2])
  t.same(numbers(swapping.forward(torch.ones([2]))), [3, 3])
  t.end()
})

t.test('tensors that are returned are made anew', (t) => {
  const source = classOf('Fresh', '', '  def forward(self: __torch__.Fresh) -> Tensor:\n    return torch.ones([2])')
  const frozen = torch.jit.freeze(moduleOf(source, object('Fresh', {})))
  const first = frozen.forward() as torch.Tensor
  ;(first.data as Float32Array).fill(5)
  t.same(numbers(frozen.forward()), [1, 1])
  t.end()
})

const convolution = classOf(
  'Block',
  'weight : Tensor; gamma : Tensor; beta : Tensor; mean : Tensor; var : Tensor',
  `  def forward(self: __torch__.Block, x: Tensor) -> Tensor:
    y = torch.conv2d(x, self.weight, None, [1, 1], [0, 0], [1, 1], 1)
    z = torch.batch_norm(y, self.gamma, self.beta, self.mean, self.var, self.training, 0.10000000000000001, 1.0000000000000001e-05, True)
    return torch.relu_(z)`,
)
const block = (): ObjectValue =>
  object('Block', {
    weight: input([4, 2, 3, 3], 1),
    gamma: input([4], 2),
    beta: input([4], 3),
    mean: input([4], 4),
    var: torch.full([4], 0.7),
  })

t.test('batch norms go into weights, if numbers may change', (t) => {
  const module = moduleOf(convolution, block())
  const x = input([1, 2, 5, 5], 8)
  const expected = numbers(module.forward(x))
  const exact = torch.jit.freeze(module, { optimizeNumerics: false })
  t.match(exact.graph, /batch_norm/)
  t.same(numbers(exact.forward(x)), expected)
  for (const frozen of [
    torch.jit.freeze(module),
    torch.jit.runFrozenOptimizations(exact),
    torch.jit.optimizeForInference(module),
    torch.jit.optimizeForInference(exact),
  ]) {
    t.notMatch(frozen.graph, /batch_norm/)
    const got = numbers(frozen.forward(x))
    t.ok(got.every((value, i) => Math.abs(value - expected[i]) <= 1e-5))
  }
  t.end()
})

t.test('a frozen convolution does its activation itself', (t) => {
  const frozen = torch.jit.freeze(moduleOf(convolution, block()))
  const x = input([1, 2, 5, 5], 8)
  nativeBinding().setTrace(true)
  frozen.forward(x)
  const kernels = nativeBinding().takeTrace()
  nativeBinding().setTrace(false)
  t.ok(
    kernels.some((name) => name.startsWith('convolution_epilogue')),
    kernels.join(),
  )
  t.match(frozen.graphFor(x), /torchscript::convolution_epilogue/)
  t.notMatch(frozen.graph, /torchscript::/, 'the graph itself, which is saved, has PyTorch operators only')
  t.end()
})

t.test('a frozen module is saved and loaded', (t) => {
  const frozen = torch.jit.freeze(moduleOf(convolution, block()))
  const bytes = torch.jit.save(frozen)
  const again = torch.jit.load(bytes)
  const x = input([1, 2, 5, 5], 8)
  t.same(numbers(again.forward(x)), numbers(frozen.forward(x)))
  t.match(again.code, /CONSTANTS\.c0/)
  t.same(torch.jit.save(torch.jit.freeze(moduleOf(convolution, block()))), bytes, 'the same each time')
  t.end()
})

t.test('looking at what runs', (t) => {
  const module = moduleOf(net, netObject())
  const frozen = torch.jit.freeze(module)
  const x = input([5, 3], 9)
  const [code, constants] = frozen.codeWithConstants
  t.match(code, /CONSTANTS\.c3/)
  t.same([...constants.keys()], ['c0', 'c1', 'c2', 'c3'])
  t.same((constants.get('c0') as torch.Tensor).shape, [4, 3])
  t.match(module.graphFor(x), /aten::linear/)
  t.notMatch(module.graphFor(x), /CallMethod/)
  frozen.forward(x)
  t.match(torch.jit.lastExecutedOptimizedGraph(), /prim::Constant\[value=<Tensor>\]/)
  t.end()
})

t.test('optimised execution can be switched off', async (t) => {
  const module = moduleOf(net, netObject())
  const x = input([5, 3], 9)
  const expected = numbers(module.forward(x))
  torch.jit.optimizedExecution(false, () => t.same(numbers(module.forward(x)), expected))
  t.equal(await torch.jit.optimizedExecution(false, async () => 4), 4)
  t.throws(() => torch.jit.optimizedExecution(false, () => module.forward()), { code: /ERR_/ })
  t.same(numbers(module.forward(x)), expected)
  t.throws(() => torch.jit.optimizedExecution(1 as never, () => 1), { code: 'ERR_ARGUMENT' })
  t.throws(() => torch.jit.optimizedExecution(true, 1 as never), { code: 'ERR_ARGUMENT' })
})
