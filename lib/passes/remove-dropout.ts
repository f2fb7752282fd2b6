import { allNodes, type Graph, type Node } from '../ir/graph.js'
import type { Pass } from './pass.js'

const dropouts = new Set(
  ['dropout', 'feature_dropout', 'alpha_dropout', 'feature_alpha_dropout'].flatMap((name) => [`aten::${name}`, `aten::${name}_`]),
)

function isOff(node: Node): boolean {
  const train = node.inputs[2].node.constant
  return train?.kind === 'bool' && !train.value
}

/**
 * Dropout that is off gives its input itself.
 *
 *     %y : Tensor = aten::dropout(%x, %p, %false)    =>    uses of %y read %x
 */
export const removeDropout: Pass = {
  name: 'remove-dropout',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (!dropouts.has(node.kind) || node.inputs.length !== 3 || !isOff(node)) continue
      node.output.replaceAllUsesWith(node.inputs[0])
      node.destroy()
      changed = true
    }
    return changed
  },
}
