import type { Block, Graph, Node } from '../ir/graph.js'
import { isMutating } from '../ir/schema.js'
import { traitsOf } from '../ops/traits.js'
import { hasEffects, knownFunctional } from './effects.js'
import type { Pass } from './pass.js'

/** Kinds of the language that have no effect and never raise. */
const pure = new Set([
  'prim::Constant',
  'prim::GetAttr',
  'prim::TupleConstruct',
  'prim::ListConstruct',
  'prim::DictConstruct',
  'prim::TupleIndex',
  'prim::TupleSlice',
  'prim::Uninitialized',
  'prim::isinstance',
  'prim::unchecked_cast',
  'prim::CreateObject',
  'prim::EnumName',
  'prim::EnumValue',
  'prim::NumToTensor',
  'prim::dtype',
  'prim::device',
])

/**
 * Whether a node can go when nobody reads its results. Operators that may raise are kept: a program may count on the error (an
 * index out of range, a shape that does not fit), and PyTorch's own removal is not meant to hide errors either.
 */
function canGo(node: Node): boolean {
  if (node.kind === 'prim::If') return node.blocks.every((block) => block.nodes.every(canGo))
  return pure.has(node.kind) || (node.schema !== undefined && traitsOf(node.schema).neverRaises === true && !isMutating(node.schema))
}

/** Removes nodes whose results nobody reads and which have no effect. */
export const eliminateDeadCode: Pass = {
  name: 'dead-code',
  run(graph: Graph): boolean {
    return sweep(graph.block, canGo)
  },
}

/** Kinds without a schema, besides `knownFunctional`, that only give results. */
const constructors = new Set(
  'Constant GetAttr TupleConstruct ListConstruct DictConstruct TupleIndex TupleSlice TupleUnpack ListUnpack unchecked_cast unchecked_unwrap_optional'
    .split(' ')
    .map((name) => `prim::${name}`),
)
function onlyComputes(node: Node): boolean {
  if (hasEffects(node)) return false
  if (node.kind === 'prim::If') return node.blocks.every((block) => block.nodes.every(onlyComputes))
  if (node.blocks.length > 0) return false
  return node.schema !== undefined || constructors.has(node.kind) || knownFunctional.has(node.kind)
}

/**
 * Like `eliminateDeadCode`, and removes operators that compute something nobody reads even where they would raise for wrong arguments, as freezing in
 * PyTorch does. Results of branches that nobody reads go too.
 */
export const eliminateUnusedWork: Pass = {
  name: 'unused-work',
  run(graph: Graph): boolean {
    return sweep(graph.block, onlyComputes)
  },
}

function removeUnusedResults(node: Node): boolean {
  let changed = false
  for (let i = node.outputs.length - 1; i >= 0; i--) {
    if (node.outputs[i].uses.length > 0) continue
    for (const block of node.blocks) block.returnNode.removeInput(i)
    node.removeOutput(i)
    changed = true
  }
  return changed
}

function sweep(block: Block, mayGo: (node: Node) => boolean): boolean {
  let changed = false
  for (let i = block.nodes.length - 1; i >= 0; i--) {
    const node = block.nodes[i]
    if (node.kind === 'prim::If' && mayGo === onlyComputes) changed = removeUnusedResults(node) || changed
    for (const inner of node.blocks) changed = sweep(inner, mayGo) || changed
    if (node.outputs.every((output) => output.uses.length === 0) && mayGo(node)) {
      node.destroy()
      changed = true
    }
  }
  return changed
}
