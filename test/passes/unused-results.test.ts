import t from 'tap'
import { parseGraph } from '../../lib/ir/parser.js'
import { printGraph } from '../../lib/ir/printer.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import { dropUnusedResults } from '../../lib/passes/unused-results.js'

function after(source: string): string {
  const graph = parseGraph(source)
  dropUnusedResults.run(graph)
  verifyGraph(graph, dropUnusedResults.name)
  return printGraph(graph)
}
const text = (source: string): string => printGraph(parseGraph(source))

t.test('values that a loop carries for nobody go; operators stay', (t) => {
  const source = `graph(%n : int, %x : Tensor, %y : Tensor):
    %true : bool = prim::Constant[value=1]()
    %a : Tensor, %b : Tensor, %c : Tensor = prim::Loop(%n, %true, %x, %y, %x)
      block0(%i : int, %p : Tensor, %q : Tensor, %r : Tensor):
        %e : Tensor = aten::neg(%q)
        %t : (Tensor, Tensor) = prim::TupleConstruct(%e, %e)
        %f : Tensor = aten::relu(%r)
        -> (%true, %e, %e, %f)
    return (%b)`
  t.equal(
    after(source),
    text(`graph(%n : int, %x : Tensor, %y : Tensor):
    %true : bool = prim::Constant[value=1]()
    %b : Tensor, %c : Tensor = prim::Loop(%n, %true, %y, %x)
      block0(%i : int, %q : Tensor, %r : Tensor):
        %e : Tensor = aten::neg(%q)
        %f : Tensor = aten::relu(%r)
        -> (%true, %e, %f)
    return (%b)`),
  )
  t.end()
})

t.test('results of branches that nobody reads go', (t) => {
  const source = `graph(%c : bool, %x : Tensor):
    %a : Tensor, %b : Tensor = prim::If(%c)
      block0():
        %n : Tensor = aten::neg(%x)
        -> (%n, %x)
      block1():
        -> (%x, %x)
    return (%b)`
  t.equal(
    after(source),
    text(`graph(%c : bool, %x : Tensor):
    %b : Tensor = prim::If(%c)
      block0():
        %n : Tensor = aten::neg(%x)
        -> (%x)
      block1():
        -> (%x)
    return (%b)`),
  )
  t.end()
})
