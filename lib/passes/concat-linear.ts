import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { isView, schemaByFullName } from '../ir/schema.js'
import type { ConstantValue } from '../ir/types.js'
import { IntType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import type { Evaluator } from './evaluator.js'
import { readsFormOnly } from './effects.js'
import { constantLinear, Steps, type WeightedNode } from './fold-weights.js'
import type { Pass } from './pass.js'

/**
 * Linear layers with one input, whose results are only taken apart, become one, the results are slices of its result: the queries, keys and values
 * of attention. The slices are not
 * contiguous, so that views of them become reshapes, which copy where a view cannot be.
 *
 *     %q : Tensor = aten::linear(%x, %wq, %bq)          %qk : Tensor = aten::linear(%x, %w, %b)
 *     %k : Tensor = aten::linear(%x, %wk, %bk)    =>    %q : Tensor = aten::slice(%qk, %-1, %0, %n, %1)
 *                                                       %k : Tensor = aten::slice(%qk, %-1, %n, %m, %1)
 */
export const concatLinears = (evaluator: Evaluator): Pass => ({
  name: 'concat-linear',
  run: (graph: Graph): boolean => concatInBlock(graph.block, evaluator, new AliasAnalysis(graph)),
})

/** Whether a result is only taken apart, as into heads: what else follows may go into the product, which a slice would prevent. */
const splitsOnly = (value: Value): boolean =>
  value.uses.every(
    ({ user, offset }) => readsFormOnly(user) || (offset === 0 && (user.kind === 'aten::view' || user.kind === 'aten::reshape')),
  )

function concatInBlock(block: Block, evaluator: Evaluator, aliases: AliasAnalysis): boolean {
  let changed = false
  const groups = new Map<Value, WeightedNode[]>()
  for (const node of block.nodes) {
    for (const inner of node.blocks) changed = concatInBlock(inner, evaluator, aliases) || changed
    const layer = constantLinear(node, evaluator)
    if (layer === undefined || !splitsOnly(node.output) || aliases.isWritten(node.inputs[0]) || aliases.isWritten(node.output)) continue
    const known = groups.get(node.inputs[0])
    if (known === undefined) groups.set(node.inputs[0], [layer])
    else if (known[0].dtype === layer.dtype && known[0].bias.kind === layer.bias.kind) known.push(layer)
  }
  for (const layers of groups.values()) if (layers.length > 1) changed = concat(block.graph, layers, evaluator) || changed
  return changed
}

function concat(graph: Graph, layers: readonly WeightedNode[], evaluator: Evaluator): boolean {
  const steps = new Steps(evaluator)
  const join = (items: readonly ConstantValue[]): ConstantValue =>
    steps.run('aten::cat', { kind: 'list', items }, { kind: 'int', value: 0n })
  const weight = join(layers.map((layer) => layer.weight))
  const bias = layers[0].bias.kind === 'none' ? layers[0].bias : join(layers.map((layer) => layer.bias))
  if (steps.failed) return false
  const at = layers[0].node
  const constant = (value: ConstantValue): Value =>
    graph.createConstant(value, value.kind === 'int' ? IntType : TensorType).insertBefore(at).output
  /** A name after all of them: `self.query.weight_key.weight_value.weight` for those of `self.query`, `self.key` and `self.value`. */
  const joined = (input: number): string | undefined => {
    const names = layers.map(({ node }) => node.inputs[input].debugName?.split('.'))
    const [first] = names
    if (first === undefined || names.some((name) => name === undefined)) return undefined
    let same = 0
    while (same < first.length && names.every((name) => name![same] === first[same])) same++
    return [...first.slice(0, same), names.map((name) => name!.slice(same).join('.')).join('_')].join('.')
  }
  const named = (value: ConstantValue, input: number): Value => {
    const made = constant(value)
    made.debugName = joined(input)
    return made
  }
  const int = (value: number): Value => constant({ kind: 'int', value: BigInt(value) })
  const all = graph
    .create('aten::linear', [at.inputs[0], named(weight, 1), bias.kind === 'none' ? at.inputs[2] : named(bias, 2)])
    .insertBefore(at)
  all.schema = at.schema
  all.range = at.range
  const [dim, step] = [int(-1), int(1)]
  let start = 0
  for (const { node, channels } of layers) {
    const slice = graph.create('aten::slice', [all.output, dim, int(start), int(start + channels), step]).insertBefore(at)
    slice.schema = schemaByFullName('aten::slice.Tensor')
    slice.range = node.range
    start += channels
    reshapeInstead(node.output)
    node.output.replaceAllUsesWith(slice.output)
  }
  for (const { node } of layers) node.destroy()
  return true
}

/** Views of what is now a slice, and of views of it, copy where they have to. */
function reshapeInstead(value: Value): void {
  for (const { user, offset } of [...value.uses]) {
    if (offset !== 0 || user.schema === undefined || !isView(user.schema)) continue
    let view: Node = user
    if (user.schema.fullName === 'aten::view') {
      view = user.graph.create('aten::reshape', user.inputs).insertBefore(user)
      view.schema = schemaByFullName('aten::reshape')
      view.range = user.range
      view.callStack = user.callStack
      view.output.debugName = user.output.debugName
      user.output.replaceAllUsesWith(view.output)
      user.destroy()
    }
    for (const output of view.outputs) if (output.type === TensorType) reshapeInstead(output)
  }
}
