import { allNodes, type Graph, type Node } from '../ir/graph.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import type { Pass } from './pass.js'

/** Whether the argument that makes an operator do anything is false. */
function isOff(node: Node): boolean {
  const name = node.schema && traitsOf(node.schema).identityUnless
  const train = name === undefined ? undefined : node.inputs[argumentAt(node.schema!, name)]?.node.constant
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
      if (!isOff(node)) continue
      node.output.replaceAllUsesWith(node.inputs[0])
      node.destroy()
      changed = true
    }
    return changed
  },
}
