import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import type { Pass } from './pass.js'

const elementsOf = (tuple: Value): readonly Value[] | undefined =>
  tuple.node.kind === 'prim::TupleConstruct' ? tuple.node.inputs : undefined

function position(index: Value, count: number): number | undefined {
  const { constant } = index.node
  if (constant?.kind !== 'int') return undefined
  const at = Number(constant.value) + (constant.value < 0n ? count : 0)
  return at >= 0 && at < count ? at : undefined
}

function lower(node: Node): boolean {
  const elements = node.inputs.length > 0 ? elementsOf(node.inputs[0]) : undefined
  if (elements === undefined) return false
  if (node.kind === 'prim::TupleUnpack' && elements.length === node.outputs.length) {
    node.outputs.forEach((output, i) => output.replaceAllUsesWith(elements[i]))
  } else if (node.kind === 'prim::TupleIndex') {
    const at = position(node.inputs[1], elements.length)
    if (at === undefined) return false
    node.output.replaceAllUsesWith(elements[at])
  } else return false
  node.destroy()
  return true
}

/**
 * Tuples that are made only to be taken apart do not come to be.
 *
 *     %t : (Tensor, Tensor) = prim::TupleConstruct(%a, %b)
 *     %x : Tensor, %y : Tensor = prim::TupleUnpack(%t)            =>    uses of %x and %y read %a and %b
 */
export const lowerTuples: Pass = {
  name: 'lower-tuples',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) changed = lower(node) || changed
    return changed
  },
}
