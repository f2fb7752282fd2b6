import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { IntType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import type { Pass } from './pass.js'

/** The elements of a list that was just made and never changes. */
function elementsOf(list: Value, aliases: () => AliasAnalysis): readonly Value[] | undefined {
  if (list.node.kind !== 'prim::ListConstruct') return undefined
  // Elements that change are fine, a list that changes is not; the two are not told apart here.
  return aliases().isWritten(list) ? undefined : list.node.inputs
}

function simplify(graph: Graph, node: Node, aliases: () => AliasAnalysis): boolean {
  const name = node.schema?.fullName
  if (node.kind === 'prim::ListUnpack') {
    const elements = elementsOf(node.inputs[0], aliases)
    if (elements === undefined || elements.length !== node.outputs.length) return false
    node.outputs.forEach((output, i) => output.replaceAllUsesWith(elements[i]))
  } else if (name === 'aten::len.t') {
    const elements = elementsOf(node.inputs[0], aliases)
    if (elements === undefined) return false
    const length = graph.createConstant({ kind: 'int', value: BigInt(elements.length) }, IntType).insertBefore(node)
    node.output.replaceAllUsesWith(length.output)
  } else if (name === 'aten::__getitem__.t') {
    const index = node.inputs[1].node.constant
    if (index?.kind !== 'int') return false
    const elements = elementsOf(node.inputs[0], aliases)
    if (elements === undefined) return false
    const element = elements[Number(index.value) + (index.value < 0n ? elements.length : 0)]
    if (element === undefined) return false
    node.output.replaceAllUsesWith(element)
  } else return false
  node.destroy()
  return true
}

/**
 * Reads of a list of known elements that never changes.
 *
 *     %l : int[] = prim::ListConstruct(%a, %b)
 *     %x : int = aten::__getitem__(%l, %zero)        =>    uses of %x read %a
 *     %n : int = aten::len(%l)                       =>    %n : int = prim::Constant[value=2]()
 */
export const simplifyLists: Pass = {
  name: 'simplify-lists',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) changed = simplify(graph, node, () => (analysis ??= new AliasAnalysis(graph))) || changed
    return changed
  },
}
