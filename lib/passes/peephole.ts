import { allNodes, type Graph, type Node } from '../ir/graph.js'
import { IntType } from '../ir/types.js'
import type { Pass } from './pass.js'

const wrapsInt = new Set(['aten::Int', 'aten::IntImplicit', 'aten::ScalarImplicit'])

/**
 * Numbers that only pass through a tensor stay numbers, as in the size arithmetic of traces:
 *
 *     %t : Tensor = prim::NumToTensor(%n)
 *     %i : int = aten::Int(%t)               =>   uses of %i read %n
 */
function intOfNumber(node: Node): boolean {
  if (!wrapsInt.has(node.kind) || node.inputs.length !== 1) return false
  const source = node.inputs[0].node
  if (source.kind !== 'prim::NumToTensor' || source.inputs[0].type !== IntType) return false
  node.output.replaceAllUsesWith(source.inputs[0])
  node.destroy()
  return true
}

/** Local rewrites that need to look at one node and its operands only. */
export const peephole: Pass = {
  name: 'peephole',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) changed = intOfNumber(node) || changed
    return changed
  },
}
