import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import { readsFormOnly } from './effects.js'
import type { Evaluator } from './evaluator.js'
import { type Affine, constantConvolution, constantLinear, foldAffine, isOnlyReader, Steps, type WeightedNode } from './fold-weights.js'
import type { Pass } from './pass.js'
import { numberOf } from './pattern.js'
import { rankOf } from './ranks.js'

/** batch_norm in evaluation as scale and shift: y = (x - mean) * rsqrt(var + eps) * weight + bias. */
function affineOf(norm: Node, layer: WeightedNode, evaluator: Evaluator): Required<Affine> | undefined {
  const [weight, bias, mean, variance, training, , eps] = norm.inputs.slice(1).map((input) => input.node.constant)
  if (mean?.kind !== 'tensor' || variance?.kind !== 'tensor' || training?.kind !== 'bool' || training.value || eps?.kind !== 'float')
    return undefined
  const fits = (value: ConstantValue | undefined): boolean => {
    if (value?.kind === 'none') return true
    const facts = value?.kind === 'tensor' ? evaluator.facts(value.tensor) : undefined
    return facts !== undefined && facts.dtype === layer.dtype && facts.shape.length === 1 && facts.shape[0] === layer.channels
  }
  if (weight === undefined || bias === undefined || ![weight, bias, mean, variance].every(fits)) return undefined
  const steps = new Steps(evaluator)
  let scale = steps.run('aten::rsqrt', steps.run('aten::add.Scalar', variance, eps))
  if (weight.kind === 'tensor') scale = steps.run('aten::mul.Tensor', scale, weight)
  let shift = steps.run('aten::neg', steps.run('aten::mul.Tensor', mean, scale))
  if (bias.kind === 'tensor') shift = steps.run('aten::add.Tensor', shift, bias)
  steps.release(weight, bias, mean, variance, scale, shift)
  return steps.failed ? undefined : { scale, shift }
}

/** What a view of [batch, n, channels] as [batch * n, channels] is of, if nothing else reads its numbers. */
function unflattened(view: Value): Value | undefined {
  const { node } = view
  if (node.schema?.fullName !== 'aten::flatten.using_ints' || numberOf(node.inputs[1]) !== 0 || numberOf(node.inputs[2]) !== 1)
    return undefined
  const [inner] = node.inputs
  const { least, most } = rankOf(inner)
  const reads = inner.uses.every(
    ({ user, offset }) => user === node || readsFormOnly(user) || (user.schema?.fullName === 'aten::reshape_as' && offset === 1),
  )
  return least === 3 && most === 3 && reads ? inner : undefined
}

function foldInto(name: string, layerOf: (node: Node, evaluator: Evaluator) => WeightedNode | undefined, evaluator: Evaluator): Pass {
  return {
    name,
    run(graph: Graph): boolean {
      let changed = false
      const unflattenedLayer = (view: Value): WeightedNode | undefined => {
        const inner = unflattened(view)
        return inner && constantLinear(inner.node, evaluator)
      }
      for (const norm of allNodes(graph.block)) {
        if (norm.kind !== 'aten::batch_norm') continue
        const input = norm.inputs[0]
        if (input.node.owner !== norm.owner || !isOnlyReader(norm, input)) continue
        const layer = layerOf(input.node, evaluator) ?? unflattenedLayer(input)
        const affine = layer && affineOf(norm, layer, evaluator)
        if (layer === undefined || affine === undefined) continue
        const folded = foldAffine(graph, layer, affine, evaluator, 'fused_bn')
        evaluator.release?.(
          [affine.scale, affine.shift],
          [layer.node.inputs[1], layer.node.inputs[2]].map((value) => value.node.constant!),
        )
        if (!folded) continue
        norm.output.replaceAllUsesWith(input)
        norm.destroy()
        changed = true
      }
      return changed
    },
  }
}

/**
 * Batch normalisation after a convolution goes into the convolution's weights.
 *
 *     %c : Tensor = aten::conv2d(%x, %w, %b, ...)                        =>    %c : Tensor = aten::conv2d(%x, %w_fused_bn, %b_fused_bn, ...)
 *     %y : Tensor = aten::batch_norm(%c, %g, %h, %mean, %var, %false, ...)     uses of %y read %c
 */
export const foldConvolutionBatchNorm = (evaluator: Evaluator): Pass => foldInto('fold-conv-batch-norm', constantConvolution, evaluator)

/**
 * The same after a linear layer. As in PyTorch, the features are taken to be dimension 1: what comes in has two dimensions. Or three, of which the
 * norm sees the first two as one.
 */
export const foldLinearBatchNorm = (evaluator: Evaluator): Pass => foldInto('fold-linear-batch-norm', constantLinear, evaluator)
