import { allNodes, type Graph, type Node } from '../ir/graph.js'
import type { Type } from '../ir/types.js'
import { BoolType, isSubtype, NoneType } from '../ir/types.js'
import type { Pass } from './pass.js'

const never: readonly string[] = ['Any', 'NoneType']
/** Whether no value of a type is None. */
function isNeverNone(type: Type): boolean {
  if (type.kind === 'Optional' || type.kind === 'Var') return false
  if (type.kind === 'Union') return type.members.every(isNeverNone)
  return type.kind !== 'Simple' || !never.includes(type.name)
}

const unwraps = new Set(['prim::unchecked_cast', 'prim::unchecked_unwrap_optional', 'aten::_unwrap_optional'])

function simplify(graph: Graph, node: Node): boolean {
  if (node.kind === 'aten::__is__' || node.kind === 'aten::__isnot__') {
    const [a, b] = node.inputs
    const isNone = (value: typeof a): boolean => value.type === NoneType
    let same: boolean
    if (isNone(a) && isNone(b)) same = true
    else if ((isNone(a) && isNeverNone(b.type)) || (isNone(b) && isNeverNone(a.type))) same = false
    else return false
    const value = node.kind === 'aten::__is__' ? same : !same
    node.output.replaceAllUsesWith(graph.createConstant({ kind: 'bool', value }, BoolType).insertBefore(node).output)
    node.destroy()
    return true
  }
  if (!unwraps.has(node.kind)) return false
  const [input] = node.inputs
  if (!isSubtype(input.type, node.output.type) || input.type === NoneType) return false
  node.output.replaceAllUsesWith(input)
  node.destroy()
  return true
}

/**
 * Questions whether something is None that its type answers, and unwrapping of what is no Optional.
 *
 *     %b : bool = aten::__is__(%tensor, %none)           =>    %b : bool = prim::Constant[value=0]()
 *     %u : Tensor = prim::unchecked_cast(%tensor)        =>    uses of %u read %tensor
 */
export const simplifyOptionals: Pass = {
  name: 'simplify-optionals',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) changed = simplify(graph, node) || changed
    return changed
  },
}
