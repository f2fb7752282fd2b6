import { type Block, Graph, type Node, type Value } from '../ir/graph.js'

/** A copy of a graph that shares no node with it. Graphs of forks are shared: they are functions of their own. */
export function cloneGraph(graph: Graph): Graph {
  const copy = new Graph()
  cloneBlock(graph.block, copy.block, new Map())
  return copy
}

function cloneBlock(from: Block, to: Block, values: Map<Value, Value>): void {
  const mapped = (value: Value): Value => values.get(value)!
  for (const input of from.inputs) values.set(input, to.addInput(input.type, input.debugName))
  for (const node of from.nodes) {
    const copy = to.graph.create(node.kind, node.inputs.map(mapped), 0)
    copyDetails(node, copy)
    to.append(copy)
    for (const block of node.blocks) cloneBlock(block, copy.addBlock(), values)
    for (const output of node.outputs) values.set(output, copy.addOutput(output.type, output.debugName))
  }
  for (const output of from.outputs) to.addOutput(mapped(output))
}

function copyDetails(from: Node, to: Node): void {
  for (const [name, attribute] of from.attributes) to.setAttribute(name, attribute)
  to.schema = from.schema
  to.range = from.range
  to.callStack = from.callStack
}
