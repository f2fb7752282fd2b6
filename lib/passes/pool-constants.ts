import type { Block, Graph, Node } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import { typeToString } from '../ir/types.js'
import type { Pass } from './pass.js'

function keyOf(value: ConstantValue): string | undefined {
  switch (value.kind) {
    case 'none':
      return 'none'
    case 'bool':
    case 'device':
      return `${value.kind} ${value.value}`
    case 'int':
      return `int ${value.value}`
    case 'float':
      return `float ${Object.is(value.value, -0) ? '-0' : value.value}`
    case 'string':
      return value.bytes === undefined ? `string ${value.value}` : undefined
    case 'list': {
      // A list that is a constant never changes.
      const items = value.items.map(keyOf)
      return items.every((item) => item !== undefined && !item.startsWith('string')) ? `list ${items.join()}` : undefined
    }
    default:
      return undefined
  }
}

/**
 * Equal plain constants of one block and the blocks around it become one, and constants leave loops: the bytecode loads a constant where its node
 * is, and should not do so in every iteration. Constants of branches stay there, so that a function does not start by loading the
 * messages of errors it rarely raises.
 */
export const poolConstants: Pass = {
  name: 'pool-constants',
  run(graph: Graph): boolean {
    return pool(graph.block, [], undefined)
  },
}

function pool(block: Block, scopes: readonly Map<string, Node>[], outerLoop: Node | undefined): boolean {
  const scope = new Map<string, Node>()
  const known = [...scopes, scope]
  let changed = false
  for (const node of [...block.nodes]) {
    if (node.kind !== 'prim::Constant') {
      const loop = outerLoop ?? (node.kind === 'prim::Loop' ? node : undefined)
      for (const inner of node.blocks) changed = pool(inner, known, loop) || changed
      continue
    }
    const value = keyOf(node.constant!)
    if (value !== undefined) {
      const key = `${value} ${typeToString(node.output.type)}`
      const same = known.map((s) => s.get(key)).find((found) => found !== undefined)
      if (same !== undefined) {
        node.output.replaceAllUsesWith(same.output)
        node.destroy()
        changed = true
        continue
      }
      // Outside of the loop it is seen by the blocks of the loop only from here on, which is all that may use it.
      scope.set(key, node)
    }
    if (outerLoop !== undefined) {
      node.insertBefore(outerLoop)
      changed = true
    }
  }
  return changed
}
