import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { BoolType, type ConstantValue, IntType, type Type } from '../ir/types.js'
import { invariant } from '../util/errors.js'
import type { Pass } from './pass.js'

/** The trip count of loops that only their condition ends. */
const endless = 2n ** 63n - 1n

/**
 * Code has `for` loops, which count, and `while` loops, which have a condition. A loop with both, as `break` in a `for` makes it, becomes one
 * that counts for itself (PyTorch's CanonicalizeModifiedLoops):
 *
 *     %y = prim::Loop(%n, %true, %x)                %c = aten::gt(%n, 0)
 *       block0(%i, %a):                             %y, %k = prim::Loop(9223372036854775807, %c, %x, 0)
 *         %b = aten::add(%a, %i)             =>       block0(%unused, %a, %i):
 *         -> (%go, %b)                                  %b = aten::add(%a, %i)
 *                                                       %next = aten::add(%i, 1)
 *                                                       %less = aten::lt(%next, %n)
 *                                                       %go2 = aten::__and__(%less, %go)
 *                                                       -> (%go2, %b, %next)
 */
export const canonicalizeLoops: Pass = {
  name: 'canonicalize-loops',
  run(graph: Graph): boolean {
    const loops = [...allNodes(graph.block)].filter((node) => node.kind === 'prim::Loop' && hasCountAndCondition(node))
    for (const loop of loops) rewrite(graph, loop)
    return loops.length > 0
  },
}

const isTrue = (value: Value): boolean => value.node.constant?.kind === 'bool' && value.node.constant.value

function hasCountAndCondition(loop: Node): boolean {
  const [limit, condition] = loop.inputs
  const { constant } = limit.node
  const isEndless = constant?.kind === 'int' && constant.value >= endless
  return !isEndless && !(isTrue(condition) && isTrue(loop.blocks[0].outputs[0]))
}

function operator(graph: Graph, fullName: string, inputs: Value[]): Node {
  const schema = schemaByFullName(fullName)
  invariant(schema !== undefined, `The catalog has no ${fullName}.`)
  const node = graph.create(schema.name, inputs)
  node.schema = schema
  return node
}

function rewrite(graph: Graph, loop: Node): void {
  const [block] = loop.blocks
  const [limit, condition] = loop.inputs
  const before = (node: Node, type: Type): Value => node.insertBefore(loop).output.setType(type)
  const constant = (value: ConstantValue, type: Type): Value => before(graph.createConstant(value, type), type)
  const zero = constant({ kind: 'int', value: 0n }, IntType)
  const one = constant({ kind: 'int', value: 1n }, IntType)
  let start = before(operator(graph, 'aten::gt.int', [limit, zero]), BoolType)
  if (!isTrue(condition)) start = before(operator(graph, 'aten::__and__.bool', [start, condition]), BoolType)
  loop.replaceInput(0, constant({ kind: 'int', value: endless }, IntType))
  loop.replaceInput(1, start)
  loop.addInput(zero)
  loop.addOutput(IntType)
  const [trip] = block.inputs
  const counter = block.addInput(IntType, trip.debugName)
  trip.debugName = undefined
  trip.replaceAllUsesWith(counter)
  const inside = (node: Node, type: Type): Value => block.append(node).output.setType(type)
  const next = inside(operator(graph, 'aten::add.int', [counter, one]), IntType)
  const less = inside(operator(graph, 'aten::lt.int', [next, limit]), BoolType)
  block.returnNode.replaceInput(0, inside(operator(graph, 'aten::__and__.bool', [less, block.outputs[0]]), BoolType))
  block.addOutput(next)
}
