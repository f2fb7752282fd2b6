import t from 'tap'
import { parseGraph } from '../../lib/ir/parser.js'
import { printGraph } from '../../lib/ir/printer.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import type { Graph } from '../../lib/ir/graph.js'
import { allNodes } from '../../lib/ir/graph.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { ClassType, TensorType } from '../../lib/ir/types.js'
import { canonicalizeConstants } from '../../lib/passes/canonicalize-constants.js'
import { cloneGraph } from '../../lib/passes/clone.js'
import { eliminateDeadCode } from '../../lib/passes/dead-code.js'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'
import { inlineCalls } from '../../lib/passes/inline.js'
import { type Pass, runPasses } from '../../lib/passes/pass.js'
import { peephole } from '../../lib/passes/peephole.js'
import { poolConstants } from '../../lib/passes/pool-constants.js'

/** Runs one pass; the result verifies. */
function after(pass: Pass, graph: Graph): string {
  pass.run(graph)
  verifyGraph(graph, pass.name)
  return printGraph(graph)
}
const text = (source: string): string => printGraph(parseGraph(source))

t.test('a clone prints the same and shares no node', (t) => {
  const graph = parseGraph(`graph(%a : Tensor, %n : int):
    %true : bool = prim::Constant[value=1]()
    %x : Tensor = prim::Loop(%n, %true, %a)
      block0(%i : int, %p : Tensor):
        %q : Tensor = aten::neg(%p)
        -> (%true, %q)
    return (%x)`)
  const copy = cloneGraph(graph)
  verifyGraph(copy, 'clone')
  t.equal(printGraph(copy), printGraph(graph))
  const nodes = new Set(allNodes(graph.block))
  t.notOk([...allNodes(copy.block)].some((node) => nodes.has(node)))
  t.end()
})

t.test('dead code goes; what may raise or has an effect stays', (t) => {
  const source = `graph(%a : Tensor, %l : int[]):
    %zero : int = prim::Constant[value=0]()
    %unused : int = prim::Constant[value=7]()
    %pair : (Tensor, int) = prim::TupleConstruct(%a, %unused)
    %item : int = aten::__getitem__(%l, %zero)
    %b : Tensor = aten::relu_(%a)
    return (%a)`
  t.equal(
    after(eliminateDeadCode, parseGraph(source)),
    text(`graph(%a : Tensor, %l : int[]):
    %zero : int = prim::Constant[value=0]()
    %item : int = aten::__getitem__(%l, %zero)
    %b : Tensor = aten::relu_(%a)
    return (%a)`),
  )
  t.end()
})

t.test('equal constants become one, and leave loops', (t) => {
  const source = `graph(%n : int):
    %true : bool = prim::Constant[value=1]()
    %a : int = prim::Constant[value=1]()
    %b : int = prim::Constant[value=1]()
    %f : float = prim::Constant[value=1.]()
    %s : int = aten::add(%a, %b)
    %x : int = prim::Loop(%n, %true, %s)
      block0(%i : int, %p : int):
        %two : int = prim::Constant[value=2]()
        %one : int = prim::Constant[value=1]()
        %q : int = aten::add(%p, %two)
        %r : int = aten::mul(%q, %one)
        -> (%true, %r)
    %t : float = aten::mul(%f, %x)
    return (%t)`
  t.equal(
    after(poolConstants, parseGraph(source)),
    text(`graph(%n : int):
    %true : bool = prim::Constant[value=1]()
    %a : int = prim::Constant[value=1]()
    %f : float = prim::Constant[value=1.]()
    %s : int = aten::add(%a, %a)
    %two : int = prim::Constant[value=2]()
    %x : int = prim::Loop(%n, %true, %s)
      block0(%i : int, %p : int):
        %q : int = aten::add(%p, %two)
        %r : int = aten::mul(%q, %a)
        -> (%true, %r)
    %t : float = aten::mul(%f, %x)
    return (%t)`),
  )
  t.end()
})

t.test('numbers that pass through a tensor stay numbers', (t) => {
  const source = `graph(%x : Tensor):
    %zero : int = prim::Constant[value=0]()
    %n : int = aten::size(%x, %zero)
    %t : Tensor = prim::NumToTensor(%n)
    %i : int = aten::Int(%t)
    %m : int = aten::mul(%i, %i)
    return (%m)`
  const graph = parseGraph(source)
  runPasses(graph, [peephole, eliminateDeadCode])
  verifyGraph(graph, 'peephole')
  t.equal(
    printGraph(graph),
    text(`graph(%x : Tensor):
    %zero : int = prim::Constant[value=0]()
    %n : int = aten::size(%x, %zero)
    %m : int = aten::mul(%n, %n)
    return (%m)`),
  )
  t.end()
})

/** A constant tensor whose value the reader knows. */
function withTensorConstant(operation: string): { graph: Graph; pass: Pass } {
  const graph = parseGraph(`graph(%x : Tensor):
    %c : float = prim::Constant[value=0.5]()
    ${operation}
    return (%y)`)
  const [constant] = graph.nodes
  constant.setAttribute('value', { kind: 'value', value: { kind: 'tensor', tensor: 'half' } })
  constant.output.setType(TensorType)
  return { graph, pass: canonicalizeConstants({ scalar: (tensor) => (tensor === 'half' ? { kind: 'float', value: 0.5 } : undefined) }) }
}

t.test('a 0-dim constant as second operand of add, sub, mul, div is a number', (t) => {
  const { graph, pass } = withTensorConstant('%y : Tensor = aten::mul(%x, %c)')
  const node = graph.nodes.find((n) => n.kind === 'aten::mul')!
  node.schema = undefined
  t.notOk(pass.run(graph), 'needs the schema of the Tensor overload')
  const parsed = parseGraph('graph(%x : Tensor, %c : Tensor):\n  %y : Tensor = aten::mul(%x, %c)\n  return (%y)')
  node.schema = parsed.nodes[0].schema
  t.equal(node.schema?.fullName, 'aten::mul.Tensor')
  t.ok(pass.run(graph))
  t.equal(node.schema?.fullName, 'aten::mul.Scalar')
  t.same(node.inputs[1].node.constant, { kind: 'float', value: 0.5 })
  t.end()
})

t.test('other operators keep their 0-dim constants', (t) => {
  const { graph, pass } = withTensorConstant('%y : Tensor = aten::maximum(%x, %c)')
  t.notOk(pass.run(graph))
  t.end()
})

t.test('calls are replaced by what they call, with the call remembered', (t) => {
  const sub = new ClassType('__torch__.Sub', 'module')
  const body = parseGraph(
    `graph(%self : __torch__.Sub, %x : Tensor):
    %y : Tensor = aten::neg(%x)
    return (%y)`,
    { classType: () => sub },
  )
  const method: ScriptFunction = {
    qualifiedName: '__torch__.Sub.forward',
    name: 'forward',
    parameters: [],
    returnType: TensorType,
    graph: body,
  }
  sub.methods.set('forward', method)
  const graph = parseGraph(
    `graph(%self : __torch__.Sub, %x : Tensor):
    %a : Tensor = prim::CallMethod[name="forward"](%self, %x)
    %b : Tensor = prim::CallMethod[name="forward"](%self, %a)
    return (%b)`,
    { classType: () => sub },
  )
  inlineCalls.run(graph)
  verifyGraph(graph, 'inline')
  t.same(
    graph.nodes.map((node) => node.kind),
    ['aten::neg', 'aten::neg'],
  )
  t.same(graph.nodes[1].inputs[0], graph.nodes[0].output)
  t.equal(graph.nodes[0].callStack?.[0].functionName, '__torch__.Sub.forward')
  t.end()
})

t.test('inlining refuses programs that grow beyond all bounds', (t) => {
  const levels = Array.from({ length: 24 }, (_, i) => `def f${i + 1}(x: Tensor) -> Tensor:\n  return f${i}(f${i}(x))\n`).join('')
  const functions = new CompilationUnit().define(`def f0(x: Tensor) -> Tensor:\n  return x + 1\n${levels}`)
  const { graph } = functions[functions.length - 1]
  t.throws(() => inlineCalls.run(graph), { code: 'ERR_UNSUPPORTED', message: /at most 100000 nodes after inlining/ })
  t.end()
})
