import t from 'tap'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import * as torch from '../../../lib/index.js'

const { nn } = torch
const [blockRepr, strictError] = readFileSync('test/fixtures/nn/block.txt', 'utf8').split('\n====\n')

class Block extends nn.Module {
  conv = new nn.Conv2d(1, 2, 3, { padding: 1 })
  norm = new nn.BatchNorm2d(2)
  layers = new nn.ModuleList([...Array.from({ length: 3 }, () => new nn.Linear(4, 4)), new nn.Linear(4, 2)])
  heads = new nn.ModuleDict({ b: new nn.Linear(2, 2), a: new nn.ReLU() })
  scales = new nn.ParameterList([torch.ones([2]), torch.zeros([3, 1])])
  declare mean: torch.Tensor
  declare scratch: torch.Tensor
  constructor() {
    super()
    this.registerBuffer('mean', torch.arange(3))
    this.registerBuffer('scratch', torch.zeros([2]), { persistent: false })
  }
}

const file = (): Map<string, torch.Tensor> => torch.load('test/fixtures/nn/block.pth') as Map<string, torch.Tensor>

t.test('the state of a file of PyTorch', (t) => {
  torch.manualSeed(11)
  const block = new Block()
  const state = block.stateDict()
  t.same([...state.keys()], [...file().keys()], 'names and their order')
  for (const [name, tensor] of state) t.same(tensor.toArray(), file().get(name)!.toArray(), `${name} has the numbers of the same seed`)
  torch.manualSeed(12)
  const other = new Block()
  const { weight } = other.conv
  t.same(other.loadStateDict(file()), { missingKeys: [], unexpectedKeys: [] })
  t.equal(other.conv.weight, weight, 'parameters stay the same objects')
  t.same(weight.toArray(), file().get('conv.weight')!.toArray())
  t.same(other.loadStateDict(Object.fromEntries(state)), { missingKeys: [], unexpectedKeys: [] }, 'a plain object')
  t.end()
})

t.test('the repr is that of PyTorch', (t) => {
  t.equal(String(new Block()), blockRepr)
  t.equal(inspect(new Block()), blockRepr)
  t.equal(String(new nn.ModuleList()), 'ModuleList()')
  t.equal(
    String(new nn.ParameterDict({ a: torch.ones([2, 3]) })),
    'ParameterDict(  (a): Parameter containing: [torch.FloatTensor of size 2x3])',
  )
  class Named extends nn.Linear {}
  t.equal(String(new Named(1, 2)), 'Named(in_features=1, out_features=2, bias=True)')
  t.end()
})

t.test('problems of a state dict are told together', (t) => {
  const state = file()
  state.delete('norm.bias')
  state.delete('mean')
  state.set('conv.weight', torch.zeros([2, 1, 5, 5]))
  state.set('extra.weight', torch.zeros([1]))
  state.set('fc', torch.zeros([2]))
  t.throws(() => new Block().loadStateDict(state), { message: strictError, code: 'ERR_ARGUMENT' })
  state.set('conv.weight', torch.zeros([2, 1, 3, 3]))
  t.same(new Block().loadStateDict(state, { strict: false }), {
    missingKeys: ['mean', 'norm.bias'],
    unexpectedKeys: ['extra.weight', 'fc'],
  })
  t.throws(() => new nn.Linear(1, 1).loadStateDict({ weight: 3, bias: torch.zeros([1]) } as never), {
    message:
      'Error(s) in loading state_dict for Linear:\n\tWhile copying the parameter named "weight", expected Tensor from checkpoint but received number 3',
  })
  t.throws(() => new nn.Linear(1, 1).loadStateDict(null as never), {
    message: 'Expected a Map or an object of tensors for `stateDict` but received null',
  })
  const old = new nn.BatchNorm1d(2)
  const { numBatchesTracked } = old
  t.same(
    old.loadStateDict({ weight: torch.ones([2]), bias: torch.ones([2]), running_mean: torch.ones([2]), running_var: torch.ones([2]) })
      .missingKeys,
    [],
    'files without a count of batches',
  )
  t.equal(old.numBatchesTracked, numBatchesTracked)
  t.end()
})

t.test('values go into the dtype of the parameter', (t) => {
  const linear = new nn.Linear(2, 1)
  linear.loadStateDict({ weight: torch.tensor([[1n, 2n]]), bias: torch.tensor([0.5], { dtype: 'float64' }) })
  t.equal(linear.weight.dtype, 'float32')
  t.same(linear.weight.toArray(), [[1, 2]])
  t.same(linear.bias!.toArray(), [0.5])
  t.end()
})

t.test('parameters', (t) => {
  const data = torch.ones([2])
  const parameter = new nn.Parameter(data)
  t.ok(parameter instanceof torch.Tensor)
  t.ok(parameter.requiresGrad)
  t.notOk(data.requiresGrad)
  ;(parameter.data as Float32Array)[0] = 5
  t.same(data.toArray(), [5, 1], 'memory is shared')
  t.notOk(new nn.Parameter(data, { requiresGrad: false }).requiresGrad)
  t.throws(() => new nn.Parameter([1] as never), { message: 'Expected a Tensor for `data` but received Array' })
  t.end()
})

t.test('fields are found by value', (t) => {
  class Tied extends nn.Module {
    scale = new nn.Parameter(torch.ones([2]))
    first = new nn.Linear(2, 2, { bias: false })
    second = new nn.Linear(2, 2, false)
    plain = torch.zeros([3])
    nothing = null
    constructor() {
      super()
      this.second.weight = this.first.weight
      this.registerParameter('late', null)
    }
  }
  const tied = new Tied()
  t.same(
    tied.namedParameters().map(([name]) => name),
    ['scale', 'first.weight'],
    'shared parameters come once',
  )
  t.same([...tied.stateDict().keys()], ['scale', 'first.weight', 'second.weight'], 'and under each name in the state')
  t.same(tied.ownNullParameters(), ['late'])
  t.same(tied.first.ownNullParameters(), ['bias'])
  t.same(
    tied.namedModules().map(([name]) => name),
    ['', 'first', 'second'],
  )
  t.equal(tied.getSubmodule('first'), tied.first)
  t.equal(tied.getParameter('second.weight'), tied.first.weight)
  t.throws(() => tied.getSubmodule('first.third'), { message: 'Linear has no submodule `third`' })
  t.throws(() => tied.getParameter('first.bias'), { message: 'Linear has no parameter `bias`' })
  t.throws(() => tied.registerBuffer('a.b', null), { message: 'Expected a name without "." for `name` but received "a.b"' })
  t.throws(() => tied.registerParameter('forward', null), {
    message: 'Expected a name that modules do not use for `name` but received "forward"',
  })
  t.throws(() => tied.registerParameter('raw', torch.ones([1]) as never), {
    message: 'Expected a Parameter or null for `raw` but received Tensor',
  })
  t.end()
})

t.test('changes of the whole tree', (t) => {
  const block = new Block()
  t.equal(block.eval(), block)
  t.notOk(block.layers[0].training)
  block.train()
  t.ok(block.norm.training)
  const seen: string[] = []
  block.apply((module) => seen.push(module.constructor.name))
  t.equal(seen.at(-1), 'Block', 'the module itself comes last')
  block.requiresGrad_(false)
  t.ok(block.parameters().every((parameter) => !parameter.requiresGrad))
  const { weight } = block.conv
  block.double()
  t.equal(block.conv.weight, weight, 'a converted parameter is the same object')
  t.equal(weight.dtype, 'float64')
  t.equal(block.norm.runningMean!.dtype, 'float64')
  t.equal(block.norm.numBatchesTracked!.dtype, 'int64', 'integers stay')
  t.equal(block.half().conv.weight.dtype, 'float16')
  t.equal(block.to('float32').conv.weight.dtype, 'float32')
  t.equal(block.to('cpu'), block)
  t.throws(() => block.to('cuda:99'), { message: /^Expected a device that is there for `device` but received 'cuda:99': / })
  t.throws(() => block.to('int32'), { message: 'Expected a floating point or complex dtype for `dtype` but received "int32"' })
  t.end()
})

t.test('hooks', (t) => {
  const linear = new nn.Linear(1, 1, { bias: false })
  nn.init.constant_(linear.weight, 2)
  const run = (): unknown => linear.forward(torch.tensor([3])).toArray()
  const calls: string[] = []
  const pre = linear.registerForwardPreHook((_module, [x]) => {
    calls.push('pre')
    return torch.nn.functional.relu(x as torch.Tensor)
  })
  const double = linear.registerForwardHook((_module, _args, output) => {
    calls.push('post')
    return torch.nn.functional.threshold(output as torch.Tensor, 100, -1)
  })
  linear.registerForwardHook(
    () => {
      calls.push('first')
    },
    { prepend: true },
  )
  t.same(run(), [-1])
  t.same(linear.call(torch.tensor([3])).toArray(), [-1])
  t.same(calls, ['pre', 'first', 'post', 'pre', 'first', 'post'])
  double.remove()
  pre.remove()
  t.same(run(), [6])
  t.throws(() => linear.registerForwardHook(3 as never), { message: 'Expected a function for `hook` but received number 3' })
  t.end()
})

t.test('a listener sees modules begin and end', (t) => {
  const model = new nn.Sequential(new nn.Linear(1, 1), new nn.ReLU())
  const seen: string[] = []
  const before = nn.setModuleListener({
    enter: (module) => seen.push(`enter ${module.constructor.name}`),
    leave: (module) => seen.push(`leave ${module.constructor.name}`),
  })
  t.equal(before, null)
  model.forward(torch.ones([1]))
  t.throws(() => model.forward('no' as never))
  nn.setModuleListener(null)
  const pass = ['enter Sequential', 'enter Linear', 'leave Linear', 'enter ReLU', 'leave ReLU', 'leave Sequential']
  t.same(
    seen.slice(0, 6).map((text) => text.replace(/ _/, ' ')),
    pass,
  )
  t.same(
    seen.slice(6).map((text) => text.replace(/ _/, ' ')),
    ['enter Sequential', 'enter Linear', 'leave Linear', 'leave Sequential'],
    'after errors too',
  )
  t.throws(() => new nn.Module().forward(), { message: 'Module [Module] is missing the required "forward" function.' })
  t.end()
})

t.test('containers', (t) => {
  const list = new nn.ModuleList([new nn.ReLU(), new nn.Tanh()])
  list.append(new nn.Sigmoid()).insert(0, new nn.Identity())
  t.equal(list.length, 4)
  t.same([...list].map(String), ['Identity()', 'ReLU()', 'Tanh()', 'Sigmoid()'])
  t.equal(String(list[1]), 'ReLU()')
  t.equal(list.at(-1), list[3])
  t.equal(list.slice(1, 3).length, 2)
  t.equal(String(list.pop()), 'Sigmoid()')
  t.equal(list[3], undefined)
  t.throws(() => list.at(3), { message: 'Expected an index from -3 to 2 for `index` but received 3' })
  t.throws(() => list.append({} as never), { message: 'Expected a module for `module` but received Object' })
  const dict = new nn.ModuleDict([
    ['2', new nn.ReLU()],
    ['1', new nn.Tanh()],
  ])
  t.same([...dict.keys()], ['2', '1'], 'in the order of addition')
  t.ok(dict.has('1'))
  t.throws(() => dict.get('3'), { message: 'Expected one of 2, 1 for `name` but received "3"' })
  const sequence = new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU())
  t.same(
    sequence.namedModules().map(([name]) => name),
    ['', '0', '1'],
  )
  t.end()
})

t.test('copies share nothing', (t) => {
  const layer = new nn.Sequential(new nn.BatchNorm1d(2), new nn.Linear(2, 2))
  const copy = nn.deepCopy(layer)
  t.equal(String(copy), String(layer))
  t.same([...copy.stateDict().keys()], [...layer.stateDict().keys()])
  nn.init.zeros_((layer[1] as InstanceType<typeof nn.Linear>).weight)
  t.not(copy.getParameter('1.weight').toArray()[0 as never], 0)
  t.notSame(copy.getParameter('1.weight').toArray(), [
    [0, 0],
    [0, 0],
  ])
  t.end()
})

t.test('wrong options are told', (t) => {
  t.throws(() => new nn.Conv2d(1, 1, 3, { paddingmode: 'zeros' } as never), {
    message: 'Expected options among stride, padding, dilation, groups, bias, paddingMode, dtype but received "paddingmode"',
  })
  t.throws(() => new nn.Conv2d(1, 1, 3, { padding_mode: 'zeros' } as never), { message: /did you mean "paddingMode"\?$/ })
  t.throws(() => new nn.Conv2d(1, 1, 3, 1, { stride: 2 }), {
    message: 'Expected one value for `stride` but received one by position and one by name',
  })
  t.throws(() => new nn.Conv2d(1, 1, [3, 3, 3]), { message: 'Expected an integer or 2 of them for `kernelSize` but received [3,3,3]' })
  t.throws(() => new nn.Dropout(1.5), { message: 'dropout probability has to be between 0 and 1, but got 1.5' })
  t.throws(() => new nn.MSELoss('average' as 'mean'), {
    message: "Expected 'none', 'mean' or 'sum' for `reduction` but received \"average\"",
  })
  t.end()
})

t.test('names', (t) => {
  const pairs = {
    inFeatures: 'in_features',
    weightIhL0: 'weight_ih_l0',
    in1Features: 'in1_features',
    _qkvSameEmbedDim: '_qkv_same_embed_dim',
    p: 'p',
  }
  for (const [field, name] of Object.entries(pairs)) t.equal(nn.attributeName(field), name)
  t.end()
})
