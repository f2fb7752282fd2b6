import { allNodes, type Graph, type Node } from '../ir/graph.js'
import type { Pass } from './pass.js'

const intOf = (node: Node, input: number): bigint | undefined => {
  const constant = node.inputs[input].node.constant
  return constant?.kind === 'int' ? constant.value : undefined
}
const intsOf = (node: Node, input: number): readonly bigint[] | undefined => {
  const source = node.inputs[input].node
  const items = source.kind === 'prim::ListConstruct' ? source.inputs.map((value) => value.node.constant) : undefined
  const constants = items ?? (source.constant?.kind === 'list' ? source.constant.items : undefined)
  if (constants === undefined) return undefined
  const out: bigint[] = []
  for (const constant of constants) {
    if (constant?.kind !== 'int') return undefined
    out.push(constant.value)
  }
  return out
}

function undoes(second: Node, first: Node): boolean {
  if (second.schema === undefined || first.schema === undefined) return false
  const name = second.schema.fullName
  if (first.schema.fullName !== name) return false
  if (name === 'aten::t' || name === 'aten::numpy_T' || name === 'aten::mT') return true
  if (name === 'aten::transpose.int') {
    const [a, b, c, d] = [intOf(first, 1), intOf(first, 2), intOf(second, 1), intOf(second, 2)]
    return a !== undefined && b !== undefined && ((a === c && b === d) || (a === d && b === c))
  }
  if (name === 'aten::permute') {
    const [p, q] = [intsOf(first, 1), intsOf(second, 1)]
    if (p === undefined || q === undefined || p.length !== q.length) return false
    const positive = (i: bigint): number => Number(i < 0n ? i + BigInt(p.length) : i)
    return q.every((to, i) => p[positive(to)] !== undefined && positive(p[positive(to)]) === i)
  }
  return false
}

/**
 * Transposes and permutations that undo one another.
 *
 *     %a : Tensor = aten::transpose(%x, %1, %2)
 *     %b : Tensor = aten::transpose(%a, %1, %2)    =>    uses of %b read %x
 */
export const cancelTransposes: Pass = {
  name: 'cancel-transposes',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) {
      const first = node.inputs[0]?.node
      if (first === undefined || node.outputs.length !== 1 || !undoes(node, first)) continue
      // Both are views of %x, so that changes of one are changes of the other.
      node.output.replaceAllUsesWith(first.inputs[0])
      node.destroy()
      changed = true
    }
    return changed
  },
}
