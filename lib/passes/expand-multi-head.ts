import { allNodes, type Graph, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, FloatType, IntType, listOf, TensorType } from '../ir/types.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'
import { numberOf } from './pattern.js'

/**
 * Self-attention without a mask, as traces of nn.MultiheadAttention's fast path have it, becomes one projection to queries, keys and values, which are
 * views of it, attention, and the last projection, which may then take what follows.
 *
 *     %y : Tensor, %w : Tensor = aten::_native_multi_head_attention(%x, %x, %x, %e, %h, %wi, %bi, %wo, %bo, %none, %false, ...)
 */
export const expandMultiHead = (facts: ConstantFacts): Pass => ({
  name: 'expand-multi-head',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || node.kind !== 'aten::_native_multi_head_attention') continue
      const [query, key, value, embed, heads, qkvWeight, qkvBias, weight, bias, mask, needs] = node.inputs
      const [width, count, wanted] = [numberOf(embed), numberOf(heads), needs?.node.constant]
      const constants = [qkvWeight, qkvBias, weight, bias].map(
        ({ node: { constant } }) => constant?.kind === 'tensor' && facts.facts(constant.tensor),
      )
      if (query !== key || key !== value || mask?.node.constant?.kind !== 'none' || node.outputs[1].uses.length > 0) continue
      if (wanted?.kind !== 'bool' || wanted.value || !width || !count || width % count !== 0) continue
      if (!constants.every((fact) => fact && fact.dtype === 'float32')) continue
      const constant = (made: ConstantValue, type: Type): Value => graph.createConstant(made, type).insertBefore(node).output
      const int = (n: number): Value => constant({ kind: 'int', value: BigInt(n) }, IntType)
      const add = (name: string, inputs: readonly Value[], type: Type = TensorType): Value => {
        const made = graph.create(name.replace(/\..*/, ''), inputs).insertBefore(node)
        if (!name.startsWith('prim::')) made.schema = schemaByFullName(name)
        made.range = node.range
        made.callStack = node.callStack
        return made.output.setType(type)
      }
      const list = (...items: readonly Value[]): Value => add('prim::ListConstruct', items, listOf(IntType))
      const none = (element: Type): Value => constant({ kind: 'none' }, { kind: 'Optional', element })
      const [zero, one, two, no] = [int(0), int(1), int(2), constant({ kind: 'bool', value: false }, BoolType)]
      const [batch, length] = [add('aten::size.int', [query, zero], IntType), add('aten::size.int', [query, one], IntType)]
      const all = add('aten::view', [
        add('aten::linear', [query, qkvWeight, qkvBias]),
        list(batch, length, int(3), int(count), int(width / count)),
      ])
      const [q, k, v] = [zero, one, two].map((i) => add('aten::transpose.int', [add('aten::select.int', [all, two, i]), one, two]))
      const dropout = constant({ kind: 'float', value: 0 }, FloatType)
      const result = add('aten::scaled_dot_product_attention', [q, k, v, none(TensorType), dropout, no, none(FloatType), no])
      const joined = add('aten::reshape', [add('aten::transpose.int', [result, one, two]), list(batch, length, int(width))])
      const out = add('aten::linear', [joined, weight, bias])
      out.debugName = node.outputs[0].debugName
      node.outputs[0].replaceAllUsesWith(out)
      node.destroy()
      changed = true
    }
    return changed
  },
})
