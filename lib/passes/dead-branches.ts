import type { Block, Node } from '../ir/graph.js'

/** Puts the nodes of one branch in place of its prim::If. */
export function takeBranch(node: Node, taken: Block): void {
  for (const inner of [...taken.nodes]) inner.insertBefore(node)
  node.outputs.forEach((output, i) => output.replaceAllUsesWith(taken.outputs[i]))
  node.destroy()
}
