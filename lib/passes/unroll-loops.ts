import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { IntType } from '../ir/types.js'
import { copyNodes } from './clone.js'
import type { Pass } from './pass.js'

/** Bounds of PyTorch's own unrolling. */
const maxTrips = 64n
const maxBodyNodes = 32

/**
 * Loops with a constant number of trips and a small body become that many copies of the body.
 *
 *     %y = prim::Loop(%two, %true, %x)          %y.1 = aten::relu(%x)
 *       block0(%i, %p):                   =>    %y = aten::relu(%y.1)
 *         %q = aten::relu(%p)
 *         -> (%true, %q)
 */
export const unrollLoops: Pass = {
  name: 'unroll-loops',
  run: (graph: Graph): boolean => unrollBlock(graph.block),
}

function unrollBlock(block: Block): boolean {
  let changed = false
  for (const node of [...block.nodes]) {
    for (const inner of node.blocks) changed = unrollBlock(inner) || changed
    if (node.kind === 'prim::Loop') changed = unroll(node) || changed
  }
  return changed
}

const size = (block: Block): number =>
  block.nodes.reduce((sum, node) => sum + (node.kind === 'prim::Constant' ? 0 : 1) + node.blocks.reduce((s, b) => s + size(b), 0), 0)

const isTrue = (value: Value): boolean => {
  const { constant } = value.node
  return constant?.kind === 'bool' && constant.value
}

function unroll(loop: Node): boolean {
  const [body] = loop.blocks
  const trips = loop.inputs[0].node.constant
  if (trips?.kind !== 'int' || trips.value > maxTrips || !isTrue(loop.inputs[1]) || !isTrue(body.outputs[0])) return false
  if (size(body) > maxBodyNodes) return false
  let carried: Value[] = loop.inputs.slice(2)
  for (let i = 0n; i < trips.value; i++) {
    const values = new Map<Value, Value>()
    if (body.inputs[0].uses.length > 0)
      values.set(body.inputs[0], loop.graph.createConstant({ kind: 'int', value: i }, IntType).insertBefore(loop).output)
    body.inputs.slice(1).forEach((input, k) => values.set(input, carried[k]))
    copyNodes(body, loop.graph, values, (node) => node.insertBefore(loop))
    carried = body.outputs.slice(1).map((output) => values.get(output) ?? output)
  }
  loop.outputs.forEach((output, i) => output.replaceAllUsesWith(carried[i]))
  loop.destroy()
  return true
}
