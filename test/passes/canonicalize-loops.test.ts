import t from 'tap'
import { parseGraph } from '../../lib/ir/parser.js'
import { printGraph } from '../../lib/ir/printer.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import { canonicalizeLoops } from '../../lib/passes/canonicalize-loops.js'

const loop = (limit: string, condition: string, next: string): string => `graph(%n : int, %c : bool, %x : int):
    %true : bool = prim::Constant[value=1]()
    %most : int = prim::Constant[value=9223372036854775807]()
    %y : int = prim::Loop(${limit}, ${condition}, %x)
      block0(%i : int, %a : int):
        %b : int = aten::add(%a, %i)
        -> (${next}, %b)
    return (%y)`

t.test('a loop that counts and has a condition counts for itself', (t) => {
  const graph = parseGraph(loop('%n', '%c', '%c'))
  t.equal(canonicalizeLoops.run(graph), true)
  verifyGraph(graph, canonicalizeLoops.name)
  const expected = `graph(%n : int, %c : bool, %x : int):
    %true : bool = prim::Constant[value=1]()
    %most : int = prim::Constant[value=9223372036854775807]()
    %0 : int = prim::Constant[value=0]()
    %1 : int = prim::Constant[value=1]()
    %2 : bool = aten::gt(%n, %0)
    %3 : bool = aten::__and__(%2, %c)
    %4 : int = prim::Constant[value=9223372036854775807]()
    %y : int, %12 : int = prim::Loop(%4, %3, %x, %0)
      block0(%7 : int, %a : int, %i : int):
        %b : int = aten::add(%a, %i)
        %9 : int = aten::add(%i, %1)
        %10 : bool = aten::lt(%9, %n)
        %11 : bool = aten::__and__(%10, %c)
        -> (%11, %b, %9)
    return (%y)`
  t.equal(printGraph(graph).replace(/%\d+/g, '%_'), printGraph(parseGraph(expected)).replace(/%\d+/g, '%_'))
  t.equal(canonicalizeLoops.run(graph), false, 'once is enough')
  t.end()
})

t.test('for and while loops stay', (t) => {
  for (const source of [loop('%n', '%true', '%true'), loop('%most', '%c', '%c')]) {
    const graph = parseGraph(source)
    t.equal(canonicalizeLoops.run(graph), false)
    t.equal(printGraph(graph), printGraph(parseGraph(source)))
  }
  t.end()
})
