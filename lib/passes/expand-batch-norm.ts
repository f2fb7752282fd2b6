// The operators that this pass makes.
import '../ops/batch-norm-parts.js'
import { allNodes, type Graph, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { IntType, listOf, NoneType, TensorType, type Type } from '../ir/types.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import { fusionStep } from './fusible.js'
import type { Pass } from './pass.js'

/**
 * Batch norms that could go into no weights become arithmetic where pointwise operators stand beside them, so that all are one kernel. For constant
 * statistics. What follows from these alone is computed once for a signature.
 *
 *     %y : Tensor = aten::batch_norm(%x, %w, %b, %mean, %var, %false, ...)        %s : Tensor = torchscript::batch_norm_scale(%var, %w, %eps)
 *     %z : Tensor = aten::relu(%y)                                          =>    %c : Tensor = aten::sub(%x, %mean_beside, %one)
 *                                                                                 %n : Tensor = aten::mul(%c, %s_beside)
 *                                                                                 %y : Tensor = aten::add(%n, %b_beside, %one)
 *                                                                                 %z : Tensor = aten::relu(%y)
 */
export const expandBatchNorm = (facts: ConstantFacts): Pass => ({
  name: 'expand-batch-norm',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of [...allNodes(graph.block)]) {
      if (node.schema?.fullName !== 'aten::batch_norm') continue
      const [x, weight, bias, mean, variance, training, , eps] = node.inputs
      const given = [mean, variance, weight, bias].filter(({ node: { constant } }) => constant?.kind !== 'none')
      const known = given.map(({ node: { constant } }) => (constant?.kind === 'tensor' ? facts.facts(constant.tensor) : undefined))
      const [first] = known
      if (given.length < 2 || given[0] !== mean || given[1] !== variance || first?.shape.length !== 1) continue
      if (!['float32', 'float64'].includes(first.dtype) || floatDType(x, facts) !== first.dtype) continue
      if (!known.every((fact) => fact?.dtype === first.dtype && fact.shape.length === 1 && fact.shape[0] === first.shape[0])) continue
      if (training.node.constant?.kind !== 'bool' || training.node.constant.value || eps.node.constant?.kind !== 'float') continue
      const beside = [x.node, ...node.output.uses.map(({ user }) => user)]
      if (!beside.some((other) => other.owner === node.owner && fusionStep(other) !== undefined)) continue

      const int = (n: number): Value => graph.createConstant({ kind: 'int', value: BigInt(n) }, IntType).insertBefore(node).output
      const add = (fullName: string, inputs: readonly Value[], type: Type = TensorType): Value => {
        const schema = schemaByFullName(fullName)!
        const made = graph.create(schema.name, inputs).insertBefore(node)
        made.schema = schema
        made.range = node.range
        made.callStack = node.callStack
        return made.output.setType(type)
      }
      const none = (): Value => graph.createConstant({ kind: 'none' }, NoneType).insertBefore(node).output
      const one = int(1)
      const shape = add('torchscript::channel_shape', [x, int(first.shape[0])], listOf(IntType))
      const standing = (vector: Value): Value => add('aten::view', [vector, shape])
      const scale = add('torchscript::batch_norm_scale', [variance, weight, eps])
      const shift = given.includes(bias) ? bias : add('aten::zeros_like', [mean, ...[1, 2, 3, 4, 5].map(none)])
      // The kernel's steps, so that results are the same bits.
      const centred = add('aten::sub.Tensor', [x, standing(mean), one])
      const result = add('aten::add.Tensor', [add('aten::mul.Tensor', [centred, standing(scale)]), standing(shift), one])
      result.debugName = node.output.debugName
      node.output.replaceAllUsesWith(result)
      node.destroy()
      changed = true
    }
    return changed
  },
})
