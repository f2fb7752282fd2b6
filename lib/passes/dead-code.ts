import type { Block, Graph, Node } from '../ir/graph.js'
import { isMutating } from '../ir/schema.js'
import { schemasOf } from '../ir/schema.js'
import type { Pass } from './pass.js'

/** Kinds without results of interest that must run, and calls, which may do anything. */
const effects = new Set([
  'prim::RaiseException',
  'prim::SetAttr',
  'prim::Print',
  'prim::CallMethod',
  'prim::CallFunction',
  'prim::fork',
  'aten::wait',
  'prim::Enter',
  'prim::Exit',
  'aten::warn',
  'aten::save',
  'aten::manual_seed',
  'aten::set_grad_enabled',
  'prim::PythonOp',
  'prim::TupleUnpack',
  'prim::ListUnpack',
])
/** Pure kinds of the language that never raise. */
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
  'aten::size',
  'aten::dim',
  'aten::len',
  'aten::__is__',
  'aten::__isnot__',
  'aten::__not__',
  'aten::detach',
])

/**
 * Whether a node can go when nobody reads its results. Operators that may raise are kept: a program may count on the error (an
 * index out of range, a shape that does not fit), and PyTorch's own removal is not meant to hide errors either.
 */
function canGo(node: Node): boolean {
  if (effects.has(node.kind)) return false
  if (node.schema !== undefined && isMutating(node.schema)) return false
  if (node.kind === 'prim::If') return node.blocks.every((block) => block.nodes.every(canGo))
  return pure.has(node.kind) && (node.schema !== undefined || schemasOf(node.kind).length === 0 || node.kind.startsWith('prim::'))
}

/** Removes nodes whose results nobody reads and which have no effect. */
export const eliminateDeadCode: Pass = {
  name: 'dead-code',
  run(graph: Graph): boolean {
    return sweep(graph.block)
  },
}

function sweep(block: Block): boolean {
  let changed = false
  for (let i = block.nodes.length - 1; i >= 0; i--) {
    const node = block.nodes[i]
    for (const inner of node.blocks) changed = sweep(inner) || changed
    if (node.outputs.every((output) => output.uses.length === 0) && canGo(node)) {
      node.destroy()
      changed = true
    }
  }
  return changed
}
