import t from 'tap'
import { readFileSync, readdirSync } from 'node:fs'
import { allNodes, Graph, GraphBuilder } from '../../lib/ir/graph.js'
import { parseGraph } from '../../lib/ir/parser.js'
import { floatText, printGraph, quote } from '../../lib/ir/printer.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import { BoolType, IntType, TensorType } from '../../lib/ir/types.js'

t.test('print, parse, print is the identity on graphs that PyTorch printed', (t) => {
  const folder = 'test/fixtures/ir'
  const files = readdirSync(folder).filter((f) => f.endsWith('.ir'))
  t.ok(files.length >= 6, `${files.length} fixtures`)
  for (const file of files) {
    const graph = parseGraph(readFileSync(`${folder}/${file}`, 'utf8'))
    verifyGraph(graph, 'parsing')
    const once = printGraph(graph)
    t.equal(printGraph(parseGraph(once)), once, file)
  }
  t.end()
})

t.test('prints what PyTorch prints', (t) => {
  const text = readFileSync('test/fixtures/ir/control_flow.ir', 'utf8').replace(/ # .*$/gm, '')
  const numbered = (s: string): string => {
    const names = new Map<string, string>()
    return s.replace(/%[\w.]+/g, (n) => names.get(n) ?? (names.set(n, `%v${names.size}`), names.get(n)!))
  }
  t.equal(numbered(printGraph(parseGraph(text))), numbered(text))
  t.end()
})

t.test('matches the overload of parsed nodes', (t) => {
  const graph = parseGraph(
    'graph(%x : Tensor, %n : int):\n  %a : int = prim::Constant[value=1]()\n  %y : Tensor = aten::add(%x, %x, %a)\n  %m : int = aten::add(%n, %a)\n  return (%y, %m)\n',
  )
  t.same(
    graph.nodes.map((n) => n.schema?.fullName),
    [undefined, 'aten::add.Tensor', 'aten::add.int'],
  )
  t.end()
})

t.test('refuses text that is not a graph', (t) => {
  t.throws(() => parseGraph('graph(%x : Tensor):\n  %y : Tensor = aten::relu(%z)\n  return (%y)\n'), {
    message:
      'Expected a value defined before its use (%z is not) at line 2 of the graph.\n  %y : Tensor = aten::relu(%z)\n                             ^ HERE',
  })
  t.throws(() => parseGraph('graph(%x : Tensor):\n  return (%x)\nmore'), { message: /Expected the end of the text at line 3/ })
  t.throws(() => parseGraph('graph(%x : Tensor, %x : Tensor):\n  return (%x)\n'), { message: /%x, which is defined already/ })
  t.end()
})

t.test('prints numbers and strings as PyTorch', (t) => {
  const floats: [number, string][] = [
    [1, '1.'],
    [-0, '-0.'],
    [0.1, '0.10000000000000001'],
    [1e-5, '1.0000000000000001e-05'],
    [1e17, '1e+17'],
    [0.0001, '0.0001'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
    [9999999999, '9999999999.'],
    [1e10, '10000000000.'],
    [123.456, '123.456'],
    [2.5e-310, '2.5000000000000171e-310'],
  ]
  for (const [value, text] of floats) t.equal(floatText(value), text)
  t.equal(quote('a"b\n\\\u0001'), '"a\\"b\\n\\\\\\001"')
  t.end()
})

t.test('the verifier finds broken graphs', (t) => {
  const graph = new Graph()
  const x = graph.block.addInput(TensorType, 'x')
  const b = new GraphBuilder(graph)
  const relu = b.add('aten::relu', [x])
  graph.block.addOutput(relu.output)
  verifyGraph(graph, 'building')
  x.uses.length = 0
  t.throws(() => verifyGraph(graph, 'a pass'), { message: /After a pass: input 0 is not registered exactly once as a use \(at aten::relu/ })

  const bad = new Graph()
  const n = bad.block.addInput(IntType, 'n')
  const node = new GraphBuilder(bad).add('prim::If', [n], 0)
  node.addBlock()
  node.addBlock()
  t.throws(() => verifyGraph(bad, 'a pass'), { message: /prim::If needs one bool input/ })

  const unordered = parseGraph(
    'graph(%c : bool, %x : Tensor):\n  %y : Tensor = aten::relu(%x)\n  %z : Tensor = aten::neg(%y)\n  return (%z)\n',
  )
  unordered.nodes[0].insertAfter(unordered.nodes[1])
  t.throws(() => verifyGraph(unordered, 'a pass'), { message: /input 0 is not defined before its use \(at aten::neg/ })
  t.equal([...allNodes(unordered.block)].length, 2)
  t.equal(unordered.inputs[0].type, BoolType)
  t.end()
})
