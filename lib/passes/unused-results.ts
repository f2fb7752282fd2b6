import type { Block, Graph, Node } from '../ir/graph.js'
import type { Pass } from './pass.js'

/**
 * Removes what the front end leaves behind and PyTorch's does not: results of `prim::If` that nobody reads, values that a loop carries for
 * nobody, and tuples that were only made to be taken apart.
 *
 *     %a, %b = prim::Loop(%n, %true, %x, %y)           %b = prim::Loop(%n, %true, %y)
 *       block0(%i, %c, %d):                              block0(%i, %d):
 *         %e = aten::neg(%d)                     =>        %e = aten::neg(%d)
 *         -> (%true, %e, %e)                               -> (%true, %e)
 *     return (%b)                                      return (%b)
 *
 * Operators are never removed.
 */
export const dropUnusedResults: Pass = {
  name: 'unused-results',
  run(graph: Graph): boolean {
    let changed = false
    while (sweep(graph.block)) changed = true
    return changed
  },
}

const removable = new Set(['prim::TupleConstruct', 'prim::Constant'])

function sweep(block: Block): boolean {
  let changed = false
  for (let i = block.nodes.length - 1; i >= 0; i--) {
    const node = block.nodes[i]
    if (node.kind === 'prim::If') changed = trimIf(node) || changed
    else if (node.kind === 'prim::Loop') changed = trimLoop(node) || changed
    else if (removable.has(node.kind) && node.output.uses.length === 0) {
      node.destroy()
      changed = true
    }
    for (const inner of node.blocks) changed = sweep(inner) || changed
  }
  return changed
}

function trimIf(node: Node): boolean {
  let changed = false
  for (let i = node.outputs.length - 1; i >= 0; i--) {
    if (node.outputs[i].uses.length > 0) continue
    for (const block of node.blocks) block.returnNode.removeInput(i)
    node.removeOutput(i)
    changed = true
  }
  return changed
}

function trimLoop(node: Node): boolean {
  const [block] = node.blocks
  let changed = false
  for (let i = node.outputs.length - 1; i >= 0; i--) {
    const carried = block.inputs[i + 1]
    // Passed on unchanged, it is its own only reader.
    const isRead = carried.uses.some(({ user, offset }) => user !== block.returnNode || offset !== i + 1)
    if (node.outputs[i].uses.length > 0 || isRead) continue
    block.returnNode.removeInput(i + 1)
    block.paramNode.removeOutput(i + 1)
    node.removeInput(i + 2)
    node.removeOutput(i)
    changed = true
  }
  return changed
}
