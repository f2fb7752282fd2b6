import t from 'tap'
import type { Graph, Value } from '../../lib/ir/graph.js'
import { allNodes } from '../../lib/ir/graph.js'
import { parseGraph } from '../../lib/ir/parser.js'
import { ClassType, TensorType, listOf } from '../../lib/ir/types.js'
import { AliasAnalysis } from '../../lib/passes/alias-analysis.js'

function valuesOf(graph: Graph): Map<string, Value> {
  const values = [
    ...graph.inputs,
    ...[...allNodes(graph.block)].flatMap((node) => [...node.outputs, ...node.blocks.flatMap((b) => b.inputs)]),
  ]
  return new Map(values.map((value) => [value.debugName ?? '', value]))
}

function analyze(source: string): {
  alias: (a: string, b: string) => boolean
  written: (a: string) => boolean
  escapes: (a: string) => boolean
} {
  const graph = parseGraph(source)
  const analysis = new AliasAnalysis(graph)
  const values = valuesOf(graph)
  return {
    alias: (a, b) => analysis.mayAlias(values.get(a)!, values.get(b)!),
    written: (a) => analysis.isWritten(values.get(a)!),
    escapes: (a) => analysis.escapes(values.get(a)!),
  }
}

t.test('views share memory with what they view, results of other operators with nothing', (t) => {
  const { alias, written, escapes } = analyze(`graph(%x : Tensor):
    %one : int = prim::Constant[value=1]()
    %r : Tensor = aten::relu(%x)
    %v : Tensor = aten::transpose(%r, %one, %one)
    %w : Tensor = aten::add_(%v, %x, %one)
    %s : Tensor = aten::neg(%x)
    return (%s)`)
  t.ok(alias('r', 'v'))
  t.ok(alias('w', 'r'))
  t.notOk(alias('r', 'x'))
  t.notOk(alias('s', 'r'))
  t.ok(written('r'), 'a write to a view writes what it views')
  t.notOk(written('x'))
  t.ok(escapes('s'))
  t.notOk(escapes('r'))
  t.end()
})

t.test('inputs may be one tensor', (t) => {
  const { alias, written } = analyze(`graph(%x : Tensor, %y : Tensor):
    %z : Tensor = aten::relu_(%x)
    return (%z)`)
  t.ok(alias('x', 'y'))
  t.ok(written('y'))
  t.end()
})

t.test('branches and loops carry memory', (t) => {
  const { alias } = analyze(`graph(%x : Tensor, %c : bool, %n : int):
    %true : bool = prim::Constant[value=1]()
    %a : Tensor = aten::relu(%x)
    %b : Tensor = aten::neg(%x)
    %i : Tensor = prim::If(%c)
      block0():
        -> (%a)
      block1():
        -> (%b)
    %s : Tensor = aten::sigmoid(%x)
    %l : Tensor = prim::Loop(%n, %true, %s)
      block0(%k : int, %p : Tensor):
        %q : Tensor = aten::tanh(%p)
        -> (%true, %q)
    return (%l)`)
  t.ok(alias('i', 'a') && alias('i', 'b'))
  t.ok(alias('l', 's') && alias('l', 'q') && alias('p', 's'))
  t.notOk(alias('l', 'a'))
  t.end()
})

t.test('containers hold what is put in', (t) => {
  const { alias, written } = analyze(`graph(%x : Tensor):
    %zero : int = prim::Constant[value=0]()
    %a : Tensor = aten::relu(%x)
    %b : Tensor = aten::neg(%x)
    %other : Tensor = aten::sigmoid(%x)
    %list : Tensor[] = prim::ListConstruct(%a)
    %same : Tensor[] = aten::append(%list, %b)
    %item : Tensor = aten::__getitem__(%list, %zero)
    %tuple : (Tensor, Tensor) = prim::TupleConstruct(%item, %other)
    %p : Tensor, %q : Tensor = prim::TupleUnpack(%tuple)
    %w : Tensor = aten::relu_(%p)
    %ints : int[] = aten::size(%x)
    return (%q)`)
  t.ok(alias('item', 'a') && alias('item', 'b'))
  t.ok(written('list'), 'append changes the list')
  t.ok(alias('p', 'a'))
  t.ok(written('b'))
  t.notOk(written('ints'))
  t.notOk(written('x'))
  t.end()
})

t.test('split and chunk give views in a list', (t) => {
  const { alias, written } = analyze(`graph(%x : Tensor):
    %n : int = prim::Constant[value=2]()
    %a : Tensor = aten::relu(%x)
    %parts : Tensor[] = aten::chunk(%a, %n, %n)
    %p : Tensor, %q : Tensor = prim::ListUnpack(%parts)
    %w : Tensor = aten::mul_(%p, %x)
    return (%w)`)
  t.ok(alias('q', 'a'))
  t.ok(written('a') && written('q'))
  t.notOk(written('x'))
  t.end()
})

t.test('keys of a dict are not its values', (t) => {
  const { alias } = analyze(`graph(%d : Dict(str, Tensor), %x : Tensor, %k : str):
    %mine : Dict(str, Tensor) = prim::DictConstruct(%k, %x)
    %v : Tensor = aten::__getitem__(%mine, %k)
    %new : Tensor = aten::neg(%x)
    return (%new)`)
  t.ok(alias('v', 'x'))
  t.notOk(alias('new', 'v'))
  t.end()
})

t.test('a call that cannot be seen into may do anything', (t) => {
  const type = new ClassType('__torch__.I', 'moduleInterface')
  const graph = parseGraph(
    `graph(%self : __torch__.I, %x : Tensor):
    %a : Tensor = aten::relu(%x)
    %b : Tensor = aten::neg(%x)
    %y : Tensor = prim::CallMethod[name="forward"](%self, %a)
    return (%y)`,
    { classType: () => type },
  )
  const analysis = new AliasAnalysis(graph)
  const values = valuesOf(graph)
  t.ok(analysis.callsOut)
  t.ok(analysis.isWritten(values.get('a')!))
  t.ok(analysis.mayAlias(values.get('y')!, values.get('a')!))
  t.notOk(analysis.isWritten(values.get('b')!))
  t.end()
})

t.test('what a method changes in its module', (t) => {
  const inner = new ClassType('__torch__.Inner', 'module')
  inner.attributes.push({ name: 'w', type: TensorType, isParameter: true, isBuffer: false })
  inner.attributes.push({ name: 'count', type: TensorType, isParameter: false, isBuffer: true })
  const outer = new ClassType('__torch__.Outer', 'module')
  outer.attributes.push({ name: 'inner', type: inner, isParameter: false, isBuffer: false })
  outer.attributes.push({ name: 'state', type: TensorType, isParameter: false, isBuffer: false })
  outer.attributes.push({ name: 'history', type: listOf(TensorType), isParameter: false, isBuffer: false })
  const graph = parseGraph(
    `graph(%self : __torch__.Outer, %x : Tensor):
    %one : int = prim::Constant[value=1]()
    %inner : __torch__.Inner = prim::GetAttr[name="inner"](%self)
    %w : Tensor = prim::GetAttr[name="w"](%inner)
    %count : Tensor = prim::GetAttr[name="count"](%inner)
    %a : Tensor = aten::add_(%count, %one, %one)
    %y : Tensor = aten::mul(%x, %w)
    %n : Tensor = aten::relu_(%x)
     = prim::SetAttr[name="state"](%self, %y)
    return (%y)`,
    { classType: (name) => (name === '__torch__.Outer' ? outer : inner) },
  )
  const changes = new AliasAnalysis(graph, { ownsSelf: true }).changesOf(graph.inputs[0])
  t.notOk(changes.anything)
  t.ok(changes.mayChange('state') && changes.maySet('state'))
  t.notOk(changes.maySet('inner'))
  t.ok(changes.of('inner').mayChange('count'))
  t.notOk(changes.of('inner').maySet('count'))
  t.notOk(changes.of('inner').mayChange('w'), 'a change of an input is none of a parameter')
  t.notOk(changes.mayChange('history'))
  t.end()
})
