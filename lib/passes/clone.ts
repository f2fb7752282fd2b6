import { allNodes, type Block, Graph, type Node, type Value } from '../ir/graph.js'

/** A copy of a graph that shares no node with it. Graphs of forks are shared: they are functions of their own. */
export function cloneGraph(graph: Graph): Graph {
  const copy = new Graph()
  cloneBlock(graph.block, copy.block, new Map())
  return copy
}

/** A copy of a graph together with the graphs of its forks. */
export function cloneGraphDeep(graph: Graph): Graph {
  const copy = cloneGraph(graph)
  for (const node of allNodes(copy.block)) {
    for (const [name, attribute] of node.attributes)
      if (attribute.kind === 'graph') node.setAttribute(name, { kind: 'graph', graph: cloneGraphDeep(attribute.graph) })
  }
  return copy
}

function cloneBlock(from: Block, to: Block, values: Map<Value, Value>): void {
  for (const input of from.inputs) values.set(input, to.addInput(input.type, input.debugName))
  copyNodes(from, to.graph, values, (node) => to.append(node))
  for (const output of from.outputs) to.addOutput(values.get(output) ?? output)
}

/** Copies the nodes of a block into a graph. Values that `values` does not know are those of the blocks around and stay. */
export function copyNodes(from: Block | readonly Node[], graph: Graph, values: Map<Value, Value>, insert: (node: Node) => void): void {
  for (const node of 'nodes' in from ? from.nodes : from) {
    const copy = graph.create(
      node.kind,
      node.inputs.map((value) => values.get(value) ?? value),
      0,
    )
    copyDetails(node, copy)
    insert(copy)
    for (const block of node.blocks) cloneBlock(block, copy.addBlock(), values)
    for (const output of node.outputs) values.set(output, copy.addOutput(output.type, output.debugName))
  }
}

function copyDetails(from: Node, to: Node): void {
  for (const [name, attribute] of from.attributes) to.setAttribute(name, attribute)
  to.schema = from.schema
  to.range = from.range
  to.callStack = from.callStack
}
