import t from 'tap'
import { Module, Parameter } from '../../lib/api/nn/index.js'
import * as torch from '../../lib/index.js'
import { callOperator as call } from '../../lib/runtime/dispatch.js'
import { Tensor } from '../../lib/index.js'

const op = (name: string, ...args: unknown[]): Tensor => call(name, args) as Tensor
const { jit } = torch

class Linear extends Module {
  weight: Parameter
  bias: Parameter
  constructor(inputs: number, outputs: number) {
    super()
    this.weight = new Parameter(op('aten::randn', [outputs, inputs]))
    this.bias = new Parameter(op('aten::randn', [outputs]))
  }
  override forward(input: Tensor): Tensor {
    return op('aten::linear', input, this.weight, this.bias)
  }
}

/** What a body warns of as the tracer. */
async function warningsOf(body: () => void): Promise<string[]> {
  const seen: string[] = []
  const listen = (warning: Error): void => {
    if (warning.name === 'TracerWarning') seen.push(warning.message)
  }
  await new Promise((resolve) => setImmediate(resolve))
  process.on('warning', listen)
  body()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  return seen
}
const operatorsOf = (graph: string): string[] => [...graph.matchAll(/= (aten::\w+)/g)].map(([, name]) => name)

t.test('a module keeps its hierarchy, and shares its parameters', (t) => {
  class Net extends Module {
    first = new Linear(4, 8)
    second = new Linear(8, 2)
    scale = new Parameter(torch.tensor([2]))
    override forward(x: Tensor): [Tensor, Tensor] {
      const y = op('aten::mul', this.second.forward(op('aten::relu', this.first.forward(x))), this.scale)
      return [op('aten::view', y, [x.size(0), -1]), op('aten::sum', y)]
    }
  }
  const net = new Net()
  const traced = jit.trace(net, [op('aten::randn', [3, 4])])
  t.equal(traced.originalName, 'Net')
  t.same(
    traced.namedModules().map(([name]) => name),
    ['', 'first', 'second'],
  )
  t.same(operatorsOf(traced.inlinedGraph), [
    'aten::linear',
    'aten::relu',
    'aten::linear',
    'aten::mul',
    'aten::size',
    'aten::view',
    'aten::sum',
  ])
  t.match(traced.code, '(self.second).forward(')
  t.match(traced.graph, /aten::relu.*trace\.test/)
  const x = op('aten::randn', [7, 4])
  t.same(
    (traced.forward(x) as Tensor[]).map((y) => y.toArray()),
    net.forward(x).map((y) => y.toArray()),
    'another batch size',
  )
  op('aten::fill_', net.second.weight, 0)
  op('aten::fill_', net.second.bias, 3)
  t.same((traced.forward(x) as Tensor[])[1].item(), 7 * 2 * 6, 'the parameters are the same memory')
  t.end()
})

t.test('a module that is called twice has two methods; values of its inside reach the outside', (t) => {
  class Inner extends Module {
    last: Tensor | null = null
    override forward(x: Tensor): Tensor {
      this.last = op('aten::exp', x)
      return op('aten::neg', this.last)
    }
  }
  class Outer extends Module {
    inner = new Inner()
    override forward(x: Tensor): Tensor {
      const a = this.inner.forward(x)
      const kept = this.inner.last!
      return op('aten::add', op('aten::add', a, this.inner.forward(a)), kept)
    }
  }
  const outer = new Outer()
  const x = torch.tensor([0.5, -1])
  const traced = jit.trace(outer, x)
  t.match(traced.code, /forward1\(/)
  t.same((traced.forward(x) as Tensor).toArray(), outer.forward(x).toArray())
  t.end()
})

t.test('functions: in-place operators, views, lists, constants', (t) => {
  const table = torch.tensor([1, 2, 3])
  const fn = (x: Tensor, y: Tensor): Tensor => {
    const z = op('aten::add', x, table)
    op('aten::mul_', op('aten::select', z, 0, 1), 10)
    const parts = call('aten::split', [op('aten::cat', [z, y]), 3]) as Tensor[]
    return op('aten::stack', [parts[1], parts[0]])
  }
  const x = torch.tensor([1, 1, 1])
  const y = torch.tensor([7, 8, 9])
  const traced = jit.trace(fn, [x, y])
  t.same(traced(x, y).toArray(), [
    [7, 8, 9],
    [2, 30, 4],
  ])
  t.same(traced(y, x).toArray(), fn(y, x).toArray())
  t.same(x.toArray(), [1, 1, 1], 'the example is not written')
  t.end()
})

t.test('inputs and outputs that are tuples and dicts', (t) => {
  const fn = (pair: [Tensor, Tensor], named: Record<string, Tensor>): unknown => ({
    sum: op('aten::add', pair[0], named.bias),
    rest: pair[1],
  })
  const x = torch.tensor([1])
  const traced = jit.trace(fn, [[x, x], { bias: torch.tensor([5]) }], { strict: false })
  const out = traced([torch.tensor([2]), torch.tensor([3])], { bias: torch.tensor([10]) }) as Map<string, Tensor>
  t.same(
    [...out].map(([k, v]) => [k, v.toArray()]),
    [
      ['sum', [12]],
      ['rest', [3]],
    ],
  )
  t.throws(() => jit.trace(fn, [[x, x], { bias: x }]), /strict: false/)
  t.throws(() => jit.trace((v: Tensor) => v.item(), [x]), /Expected Tensors or \(possibly nested\) arrays of Tensors as output/)
  t.throws(
    () => jit.trace(fn, [1]),
    /Expected a Tensor, an array of them, or a Map or object of Tensors for the example input `pair` but received 1/,
  )
  t.end()
})

t.test('warnings say where a tensor became a JavaScript value', async (t) => {
  const seen = await warningsOf(() => {
    const traced = jit.trace(
      (x: Tensor) => (Number(op('aten::sum', x).item()) > 0 ? op('aten::relu', x) : op('aten::neg', x)),
      [torch.tensor([1, 2])],
    )
    t.same(operatorsOf(traced.graph), ['aten::relu'], 'control flow is that of the example')
  })
  t.equal(seen.length, 1)
  t.match(seen[0], /trace\.test\.\w+:\d+: Converting a tensor to a JavaScript number might cause the trace to be incorrect/)
  const sizes = await warningsOf(() => jit.trace((x: Tensor) => op('aten::view', x, [x.size(0) * 2]), [torch.tensor([[1, 2]])]))
  t.match(sizes[0], /Converting a size of a tensor to a JavaScript number/)
  const none = await warningsOf(() => jit.trace((x: Tensor) => op('aten::view', x, [x.shape[0], -1]), [torch.tensor([[1, 2]])]))
  t.same(none, [])
})

t.test('the check finds functions that change, and control flow that does not hold for other inputs', async (t) => {
  let calls = 0
  t.throws(() => jit.trace((x: Tensor) => op('aten::add', x, calls++), [torch.tensor([1])]), /Graphs differed across invocations/)
  const branching = (x: Tensor): Tensor => (x.size(0).valueOf() === 1 ? op('aten::neg', x) : x)
  const seen = await warningsOf(() => jit.trace(branching, [torch.tensor([1])], { checkInputs: [[torch.tensor([1, 2])]] }))
  t.match(seen, [/Output nr 1\. of the traced function does not match/])
})

t.test('several methods', (t) => {
  class Coder extends Module {
    table = new Parameter(torch.tensor([1, 2]))
    encode(x: Tensor): Tensor {
      return op('aten::mul', x, this.table)
    }
    override forward(x: Tensor): Tensor {
      return op('aten::div', this.encode(x), this.table)
    }
  }
  const x = torch.tensor([3, 4])
  const traced = jit.traceModule(new Coder(), { forward: x, encode: x })
  t.same((traced.run('encode', x) as Tensor).toArray(), [3, 8])
  t.same((traced.forward(x) as Tensor).toArray(), [3, 4])
  t.end()
})

t.test('scripted functions and modules in a trace keep their control flow', (t) => {
  const unit = (x: Tensor): Tensor => {
    if (x.sum().item() > 0) return x.mul(2)
    return x.neg()
  }
  const scripted = jit.script(unit)
  const traced = jit.trace((x: Tensor) => scripted(x.add(1)) as Tensor, [torch.tensor([1, 2])])
  t.same(traced(torch.tensor([-5, -5])).toArray(), [4, 4], 'the other branch')
  t.match(traced.graph, 'prim::CallFunction')

  class Gate extends Module {
    scale = new Parameter(torch.tensor([3]))
    override forward(x: Tensor, flip: boolean = false): Tensor {
      if (flip) return x.neg()
      return x.mul(this.scale)
    }
  }
  class Outer extends Module {
    first = new torch.nn.Linear(2, 2)
    gate = jit.script(new Gate())
    override forward(x: Tensor): Tensor {
      const y = this.gate.forward(this.first.forward(x)) as Tensor
      return this.gate.forward(y, true) as Tensor
    }
  }
  const outer = new Outer()
  const module = jit.trace(outer, [torch.ones([1, 2])])
  const x = torch.randn([3, 2])
  t.same((module.forward(x) as Tensor).toArray(), outer.forward(x).toArray())
  const copy = jit.load(jit.save(module))
  t.same((copy.forward(x) as Tensor).toArray(), outer.forward(x).toArray(), 'saved and loaded')
  t.same(
    module.namedParameters().map(([name]) => name),
    ['first.weight', 'first.bias', 'gate.scale'],
  )
  t.end()
})

t.test('a traced module inside a scripted one whose classes have the same names', (t) => {
  class Inner extends Module {
    fc = new torch.nn.Linear(2, 2)
    override forward(x: Tensor): Tensor {
      return this.fc.forward(x).relu()
    }
  }
  class Outer extends Module {
    inner = jit.trace(new Inner(), [torch.ones([1, 2])])
    fc = new torch.nn.Linear(2, 2)
    override forward(x: torch.Tensor): torch.Tensor {
      return this.fc.forward(this.inner.forward(x))
    }
  }
  const outer = new Outer()
  const scripted = jit.script(outer)
  const x = torch.randn([3, 2])
  t.same((scripted.forward(x) as Tensor).toArray(), outer.forward(x).toArray())
  t.same((jit.load(jit.save(scripted)).forward(x) as Tensor).toArray(), outer.forward(x).toArray(), 'saved and loaded')
  t.end()
})
