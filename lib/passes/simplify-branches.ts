import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { BoolType } from '../ir/types.js'
import type { Pass } from './pass.js'

const boolOf = (value: Value): boolean | undefined => (value.node.constant?.kind === 'bool' ? value.node.constant.value : undefined)

function simplify(graph: Graph, node: Node): boolean {
  if (node.kind === 'aten::__not__' && node.inputs[0].node.kind === 'aten::__not__') {
    node.output.replaceAllUsesWith(node.inputs[0].node.inputs[0])
    node.destroy()
    return true
  }
  if (node.kind !== 'prim::If') return false
  let changed = false
  for (const output of node.outputs) {
    if (output.uses.length === 0) continue
    const [yes, no] = node.blocks.map((block) => boolOf(block.outputs[output.offset]))
    if (yes === undefined || no === undefined || yes === no) continue
    if (yes) output.replaceAllUsesWith(node.inputs[0])
    else {
      const not = graph.create('aten::__not__', [node.inputs[0]]).insertBefore(node)
      not.schema = schemaByFullName('aten::__not__')
      output.replaceAllUsesWith(not.output.setType(BoolType))
    }
    changed = true
  }
  return changed
}

/**
 * A prim::If that gives True or False gives its condition.
 *
 *     %b : bool = prim::If(%c)
 *       block0():                         =>    uses of %b read %c
 *         -> (%true)
 *       block1():
 *         -> (%false)
 */
export const simplifyBranches: Pass = {
  name: 'simplify-branches',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) changed = simplify(graph, node) || changed
    return changed
  },
}
